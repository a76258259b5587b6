import { toJson } from '@bufbuild/protobuf';
import { type ProcessRequest, ProcessRequestSchema } from '../../../../gen/image/v1/processor_pb.ts';
import { ClientError } from '../../client-error.ts';
import type { JobConsole } from '../../job/job.ts';
import { connectTo } from '../../job/sending/connect.ts';
import type { PlanArguments } from '../corpus-arguments.ts';
import { type CorpusList, readCorpusList } from '../lists/read-list.ts';
import { type Manifest, manifestText, parseManifest, withJob } from '../manifest.ts';
import { manifestName } from '../names.ts';
import { clientStorage } from '../store/client-storage.ts';
import type { CorpusStore } from '../store/corpus-store.ts';
import { openStore } from '../store/open-store.ts';
import { readWhole, storedText } from '../store/stored-bytes.ts';
import { type PlannedOutput, plannedOutput } from './planned-output.ts';
import { plannedRequest } from './planned-request.ts';
import { type RowShards, splitRows } from './row-shards.ts';

/**
 * Plans a corpus: stores the rows of each shard and, last, the manifest. The same list and options give the same manifest,
 * so planning again changes nothing.
 *
 * @throws ClientError PLAN_EXISTS if another job is planned there; for a list, options or a store that cannot be used
 */
export async function planCorpus(
  plan: PlanArguments,
  { print, say }: JobConsole,
  signal: AbortSignal,
): Promise<'done'> {
  const store = openStore(plan.out, plan.environment, plan.patienceMs);
  try {
    const { request: planned, words } = plannedRequest(plan.options, plan.format, plan.pageColumn);
    const request = { ...planned, honourOptOuts: !plan.ignoresOptOuts };
    const existing = await readWhole(store, manifestName, signal);
    const output = await askService(plan, request, say, signal);
    await using list = await readCorpusList(
      plan.list,
      {
        url: plan.urlColumn,
        id: plan.idColumn,
        page: plan.pageColumn,
        carried: plan.columns,
        reserved: reservedNames(output),
        idsHaveNoDots: plan.format === 'webdataset',
      },
      () => clientStorage(plan.environment),
      signal,
    );
    const split = await splitRows(
      list.rows(signal),
      plan.rowsPerShard,
      existing === undefined ? store : undefined,
      signal,
    );
    const manifest = withJob({
      format: plan.format,
      ...output,
      words,
      request: toJson(ProcessRequestSchema, request) as Manifest['request'],
      columns: [...list.columns],
      ...(plan.pageColumn !== undefined && { pages: true as const }),
      ...(plan.deduplicates && { deduplicate: true as const }),
      rows: split.rows,
      shards: split.shards,
    });
    const isNew = await writeManifest(store, manifest, existing, signal);
    print(plan.json ? JSON.stringify(summaryOf(store, manifest, split)) : wordsOf(store, manifest, split));
    if (!plan.quiet) for (const line of notesOf(list, split)) say(line);
    if (!isNew && !plan.quiet) say('It was planned already; nothing was changed.');
    return 'done';
  } finally {
    store.close();
  }
}

/** Names of columns that shards and indexes have themselves. */
function reservedNames({ output }: PlannedOutput): string[] {
  const tensors = output.kind === 'tensors' ? output.tensors : [];
  return ['outcome', 'sample', ...tensors.flatMap(({ name }) => [name, `${name}_shape`])];
}

async function askService(
  { service, format, patienceMs, quiet }: PlanArguments,
  request: ProcessRequest,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<PlannedOutput> {
  const connection = connectTo(service);
  const onAway = quiet ? () => {} : say;
  try {
    return await plannedOutput(connection, request, format, patienceMs, onAway, signal);
  } finally {
    await connection.close();
  }
}

/**
 * Writes the manifest unless it is there.
 *
 * @returns whether it was written
 * @throws ClientError PLAN_EXISTS
 */
async function writeManifest(
  store: CorpusStore,
  manifest: Manifest,
  existing: Buffer | undefined,
  signal: AbortSignal,
): Promise<boolean> {
  const name = store.urlOf(manifestName);
  let found = existing;
  if (found === undefined) {
    const file = storedText(manifestText(manifest));
    const state = await store.writeNew(manifestName, file, 'application/json', signal);
    if (state === 'written') return true;
    found = await readWhole(store, manifestName, signal);
  }
  const { job } = parseManifest(String(found), name);
  if (job === manifest.job) return false;
  throw new ClientError(
    'mixed',
    'PLAN_EXISTS',
    `"${name}" is of job ${job}, and this plan is of job ${manifest.job}: its rows, options or numerics version differ. Choose another --out.`,
  );
}

/** Notes for the caller about a list that was planned: rows that fail, columns that are left out. */
function notesOf({ leftOut }: CorpusList, { firstProblems }: RowShards): string[] {
  const columns = leftOut.map(({ name, type }) => `"${name}" (${type})`);
  return [
    ...firstProblems.values(),
    ...(columns.length === 0 ? [] : [`Columns that are not carried along: ${columns.join(', ')}.`]),
  ];
}

function summaryOf({ url }: CorpusStore, { job, rows, shards, numericsVersion }: Manifest, split: RowShards) {
  return {
    out: url,
    job,
    rows,
    shards: shards.length,
    numerics_version: numericsVersion,
    problems: Object.fromEntries(split.problems),
  };
}

function wordsOf(
  { url }: CorpusStore,
  { job, rows, shards, words, format }: Manifest,
  { problems }: RowShards,
) {
  const unusable = [...problems.values()].reduce((sum, count) => sum + count, 0);
  const reasons = [...problems].map(([reason, count]) => `${count} ${reason}`).join(', ');
  const failing = unusable === 0 ? '' : `, of which ${unusable} fail (${reasons})`;
  return `${rows} rows${failing} in ${shards.length} shards of ${format}: ${words}; job ${job.slice(0, 16)} at ${url}`;
}
