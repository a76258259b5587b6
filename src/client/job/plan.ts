import { lstat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { ClientError } from '../client-error.ts';
import { type FoundImage, imageMembers, type JobFailure, type JobImage, type Skipped } from './images.ts';
import type { Journal } from './journal/journal.ts';
import type { Entry, OptionsIdentity } from './journal/journal-entry.ts';
import { ownFailure } from './journal/own-failures.ts';
import { pathOf } from './output/file-names.ts';
import { nameOutputs } from './output/names.ts';
import type { Found } from './sources/sources.ts';
import { type Standing, standingOf } from './sources/standing.ts';
import { imagesInWords } from './summary.ts';

/** Outputs that are checked at the same time. */
const checksAtOnce = 64;

/** The work of a job. */
export interface Plan {
  /** Images to send. */
  readonly images: readonly JobImage[];
  /** Those of them whose output replaces a file that is not this job's. */
  readonly replacing: ReadonlySet<JobImage>;
  /** Images whose outputs are up to date, with their entries in the journal. */
  readonly done: readonly { readonly image: JobImage; readonly entry: Entry }[];
  readonly refused: readonly JobFailure[];
  readonly skipped: readonly Skipped[];
  /** Ids of all files that the job reads, its lists included. */
  readonly sources: ReadonlySet<string>;
  /** Outputs of this job's images that were made with another preset. */
  readonly ofOtherPreset: readonly Entry[];
}

/** How a job treats files in the output folder. */
export interface PlanRules {
  /** The value of the option `format`. */
  readonly format: string;
  readonly identity: OptionsIdentity;
  /** Whether outputs that are done are made again. */
  readonly force: boolean;
  /** Whether files that are not this job's are replaced. */
  readonly overwrite: boolean;
}

/** Decides what to do with each image, from the content of the output folder. */
export async function planJob(
  found: Found,
  folder: string,
  journal: Journal,
  rules: PlanRules,
  signal: AbortSignal,
): Promise<Plan> {
  const { kept, ownOutputs } = await withoutOwnOutputs(found.images, folder, journal);
  const named = nameOutputs(kept, rules.format);
  const sources = new Set(found.lists);
  for (const { source } of kept) if ('id' in source) sources.add(source.id);
  const images: JobImage[] = [];
  const replacing = new Set<JobImage>();
  const done: { image: JobImage; entry: Entry }[] = [];
  const refused = [...found.refused, ...named.refused];
  const ofOtherPreset: Entry[] = [];
  const decide = (image: JobImage, standing: Standing) => {
    const refusal = refusalOf(image, folder, standing, rules.overwrite);
    if (refusal !== undefined) return void refused.push(refusal);
    if (standing.kind === 'own' && standing.isUpToDate && !rules.force) {
      return void done.push({ image, entry: standing.entry });
    }
    if (standing.kind === 'own' && standing.entry.preset !== rules.identity.preset) {
      ofOtherPreset.push(standing.entry);
    }
    if (standing.kind === 'foreign') replacing.add(image);
    images.push(image);
  };
  for (let at = 0; at < named.images.length; at += checksAtOnce) {
    signal.throwIfAborted();
    const some = named.images.slice(at, at + checksAtOnce);
    const standings = await Promise.all(
      some.map((image) => standingOf(image, folder, journal, sources, rules.identity)),
    );
    for (const [index, standing] of standings.entries()) decide(some[index] as JobImage, standing);
  }
  const skipped = [...found.skipped, ...ownOutputs];
  return { images, replacing, done, refused, skipped, sources, ofOtherPreset };
}

/** The failure of an output that must not be written; undefined if it may be. */
function refusalOf(
  image: JobImage,
  folder: string,
  standing: Standing,
  overwrite: boolean,
): JobFailure | undefined {
  const { output } = image;
  const path = join(folder, output);
  const failure = (reason: Parameters<typeof ownFailure>[0], message: string) => ({
    ...imageMembers(image),
    ...ownFailure(reason, message, { output }),
  });
  if (standing.kind === 'source') {
    return failure('OUTPUT_IS_SOURCE', `"${path}" is a source of this job, which is never replaced.`);
  }
  if (standing.kind === 'unreplaceable') {
    return failure('OUTPUT_UNWRITABLE', `"${path}" cannot be written: it is ${standing.what}.`);
  }
  if (standing.kind === 'foreign' && !overwrite) {
    return failure('OUTPUT_EXISTS', `"${path}" is ${standing.what}; --overwrite replaces such files.`);
  }
  return undefined;
}

/** Separates the files that a search found in the output folder and an earlier run wrote there. */
async function withoutOwnOutputs(
  images: readonly FoundImage[],
  folder: string,
  journal: Journal,
): Promise<{ kept: FoundImage[]; ownOutputs: Skipped[] }> {
  const kept: FoundImage[] = [];
  const ownOutputs: Skipped[] = [];
  for (const image of images) {
    const path = image.isMatched && 'path' in image.source ? image.source.path : undefined;
    if (path?.startsWith(`${folder}${sep}`)) {
      const output = relative(folder, path).split(sep).join('/');
      const stats = await lstat(pathOf(path), { bigint: true }).catch(() => undefined);
      if (stats !== undefined && (await journal.find(output, stats)) !== undefined) {
        ownOutputs.push({ path, kind: 'output of a job' });
        continue;
      }
    }
    kept.push(image);
  }
  return { kept, ownOutputs };
}

/**
 * Refuses a plan as a whole.
 *
 * @throws ClientError OUTPUT_IS_SOURCE if an output is a source; PRESET_CHANGED if outputs of another preset are there
 *   that `force` does not make again
 */
export function checkPlan({ refused, ofOtherPreset }: Plan, { identity, force }: PlanRules): void {
  const onSources = refused.filter(({ reason }) => reason === 'OUTPUT_IS_SOURCE');
  const [first] = onSources;
  if (first !== undefined) {
    const others = onSources.length === 1 ? '' : `, as are ${onSources.length - 1} others`;
    const message = `The output "${first.metadata.output}" is a source of this job${others}; nothing was done. Choose another output folder.`;
    throw new ClientError('usage', 'OUTPUT_IS_SOURCE', message);
  }
  const [other] = ofOtherPreset;
  if (other !== undefined && !force) {
    const [before, now] = [other.preset, identity.preset].map((preset) => preset || 'no preset');
    const message = `${imagesInWords(ofOtherPreset.length)} of the output folder were made with ${before}, and this job uses ${now}; --force makes them again, or choose another output folder.`;
    throw new ClientError('mixed', 'PRESET_CHANGED', message);
  }
}
