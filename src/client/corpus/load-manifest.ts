import { hash } from 'node:crypto';
import { ClientError } from '../client-error.ts';
import { type Manifest, parseManifest } from './manifest.ts';
import { manifestName, rowsName } from './names.ts';
import { type CorpusRow, rowInLine } from './row.ts';
import type { CorpusStore } from './store/corpus-store.ts';
import { readWhole } from './store/stored-bytes.ts';

/**
 * Reads the manifest of a corpus.
 *
 * @param job - the job that the caller expects, or its first digits; undefined for any
 * @throws ClientError MANIFEST_MISSING, MANIFEST_VERSION, MANIFEST_INVALID; JOB_CHANGED
 */
export async function loadManifest(
  store: CorpusStore,
  job: string | undefined,
  signal: AbortSignal,
): Promise<Manifest> {
  const bytes = await readWhole(store, manifestName, signal);
  const name = store.urlOf(manifestName);
  if (bytes === undefined) {
    throw new ClientError(
      'usage',
      'MANIFEST_MISSING',
      `There is no "${name}"; "image-client corpus plan" writes it.`,
    );
  }
  const manifest = parseManifest(bytes.toString(), name);
  if (job !== undefined && !manifest.job.startsWith(job)) {
    throw new ClientError(
      'mixed',
      'JOB_CHANGED',
      `"${name}" is of job ${manifest.job}, and --job is ${job}; name the --out of that job, or leave out --job.`,
    );
  }
  return manifest;
}

/**
 * Reads the rows of a shard, in the order of their keys.
 *
 * @throws ClientError ROWS_CHANGED if they are missing, or are not those that were planned
 */
export async function loadRows(
  store: CorpusStore,
  { shards, columns }: Manifest,
  shard: number,
  signal: AbortSignal,
): Promise<CorpusRow[]> {
  const { rowsSha256 = '', count } = shards[shard] ?? {};
  const name = rowsName(shard, rowsSha256);
  const bytes = await readWhole(store, name, signal);
  const isPlanned = bytes !== undefined && hash('sha256', bytes) === rowsSha256;
  const rows = isPlanned ? bytes.toString().split('\n').slice(0, -1) : [];
  if (rows.length === count) return rows.map((line) => rowInLine(line, columns));
  const why = bytes === undefined ? 'is missing' : 'does not have the rows that were planned';
  throw new ClientError(
    'files',
    'ROWS_CHANGED',
    `"${store.urlOf(name)}" ${why}; plan again into another --out.`,
  );
}
