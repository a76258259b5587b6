import type { BigIntStats } from 'node:fs';
import { lstat, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { idOf, type JobImage, nameOfSource } from '../images.ts';
import type { Journal } from '../journal/journal.ts';
import { type Entry, isUpToDate, type OptionsIdentity } from '../journal/journal-entry.ts';
import { pathOf } from '../output/file-names.ts';

/** The state of an output's path before it is written. */
export type Standing =
  | { readonly kind: 'free' }
  /** The output of this image. */
  | { readonly kind: 'own'; readonly entry: Entry; readonly isUpToDate: boolean }
  /** A source of the job, by this or another name. */
  | { readonly kind: 'source' }
  /** A folder, or something else that no output can replace. */
  | { readonly kind: 'unreplaceable'; readonly what: string }
  /** A file that is not in the journal, or the output of another image. */
  | { readonly kind: 'foreign'; readonly what: string };

/**
 * Reads the state of an output's path.
 *
 * @param folder - the output folder
 * @param sources - ids of all files that the job reads
 */
export async function standingOf(
  image: JobImage,
  folder: string,
  journal: Journal,
  sources: ReadonlySet<string>,
  identity: OptionsIdentity,
): Promise<Standing> {
  const path = pathOf(join(folder, image.output));
  const stats = await lstat(path, { bigint: true }).catch(() => undefined);
  if (stats === undefined) return { kind: 'free' };
  const target = stats.isSymbolicLink() ? await stat(path, { bigint: true }).catch(() => stats) : stats;
  if (sources.has(idOf(target))) return { kind: 'source' };
  if (stats.isSymbolicLink()) return { kind: 'foreign', what: 'a link' };
  if (!stats.isFile()) return { kind: 'unreplaceable', what: nameOfType(stats) };
  const entry = await journal.find(image.output, stats);
  if (entry === undefined) return { kind: 'foreign', what: 'a file that the journal does not describe' };
  if (entry.source !== nameOfSource(image.source)) {
    return { kind: 'foreign', what: `the output of "${entry.source}"` };
  }
  return { kind: 'own', entry, isUpToDate: isUpToDate(entry, image, identity) };
}

/** The type of a directory entry that is neither a file nor a link, with its article. */
export function nameOfType(stats: Pick<BigIntStats, 'isDirectory' | 'isFIFO' | 'isSocket'>): string {
  if (stats.isDirectory()) return 'a folder';
  if (stats.isFIFO()) return 'a pipe';
  return stats.isSocket() ? 'a socket' : 'a device';
}
