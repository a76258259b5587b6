import type { BigIntStats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname, extname, relative, resolve, sep } from 'node:path';
import { ClientError } from '../../client-error.ts';
import { type FoundImage, idOf, type JobFailure, type Skipped, sourceFile } from '../images.ts';
import { inputFailure } from '../journal/own-failures.ts';
import { isUrl, type ListOptions, listEndings, nameOfUrl, readList } from '../lists/lists.ts';
import { pathOf } from '../output/file-names.ts';
import { skippedWords } from '../summary.ts';
import { isGlob, searchOf } from './glob.ts';
import { hasImageEnding, recognise } from './recognise.ts';
import { nameOfType } from './standing.ts';
import { type Search, walk } from './walk.ts';

/** Files that are read at the same time. */
const readsAtOnce = 64;

/** The images of a job's sources, and everything else that was found. */
export interface Found {
  readonly images: readonly FoundImage[];
  /** Invalid rows of lists, and files that cannot be read. */
  readonly refused: readonly JobFailure[];
  readonly skipped: readonly Skipped[];
  /** Ids of the lists that were read. */
  readonly lists: ReadonlySet<string>;
}

/** `Found` while it is being collected. */
interface Collection {
  readonly images: FoundImage[];
  readonly refused: JobFailure[];
  readonly skipped: Skipped[];
  readonly lists: Set<string>;
}

/**
 * Finds the images of a job: files, folders with everything below them, globs, URLs and lists. Files of folders and globs
 * that do not have an image's ending are recognised by their bytes.
 *
 * The name of an output is the path below the folder (with several folders, below the folder's parent), below the part of
 * a glob without wildcards, or below the folder that all files share; for a URL it is the host and path.
 *
 * @param outputFolder - absolute; it is not searched
 * @throws ClientError for a source that does not exist, cannot be read, contains nothing or is the output folder
 */
export async function findImages(
  sources: readonly string[],
  outputFolder: string,
  listOptions: ListOptions,
  signal: AbortSignal,
): Promise<Found> {
  const kinds = await Promise.all(sources.map(kindOf));
  const output = await statsOf(outputFolder);
  const leftOut = output && idOf(output);
  const files = kinds.flatMap((each) => (each.kind === 'file' ? [each] : []));
  const shared = sharedFolder(files.map(({ path }) => path));
  const areSeveral = kinds.filter(({ kind }) => kind === 'folder').length > 1;
  const found: Collection = { images: [], refused: [], skipped: [], lists: new Set() };
  for (const each of kinds) {
    signal.throwIfAborted();
    const [images, refused, skipped] = [found.images.length, found.refused.length, found.skipped.length];
    if (each.kind === 'url') {
      found.images.push({ source: { url: each.url }, name: nameOfUrl(each.url), isGivenName: false });
    } else if (each.kind === 'file') {
      found.images.push(imageOf(each.path, each.stats, shared));
    } else if (each.kind === 'folder') {
      if (idOf(each.stats) === leftOut) throw isOutputFolder(each.given);
      await search(found, each.path, areSeveral ? dirname(each.path) : each.path, { leftOut }, signal);
    } else if (each.kind === 'glob') {
      const glob = await searchOf(each.pattern);
      const base = resolve(glob.folder);
      if (await statsOf(base))
        await search(found, base, base, { ...glob.search, leftOut: undefined }, signal);
    } else {
      const list = await readList(each.path, listOptions, signal);
      found.images.push(...list.images);
      found.refused.push(...list.refused);
      if (each.stats !== undefined) found.lists.add(idOf(each.stats));
      continue;
    }
    if (found.images.length === images && found.refused.length === refused) {
      throw empty(each.given, found.skipped.slice(skipped));
    }
  }
  return found;
}

function isOutputFolder(given: string): ClientError {
  return new ClientError(
    'usage',
    'OUTPUT_IS_SOURCE',
    `"${given}" is also the output folder, and sources are never replaced; choose another output folder.`,
  );
}

function empty(given: string, skipped: readonly Skipped[]): ClientError {
  const words = skipped.length === 0 ? '' : `; ${skippedWords(skipped)}`;
  return new ClientError('usage', 'INPUT_EMPTY', `There is no image in "${given}"${words}.`);
}

type Kind =
  | { readonly given: string; readonly kind: 'url'; readonly url: string }
  | {
      readonly given: string;
      readonly kind: 'file' | 'folder';
      readonly path: string;
      readonly stats: BigIntStats;
    }
  | {
      readonly given: string;
      readonly kind: 'list';
      readonly path: string;
      /** Undefined for standard input. */
      readonly stats: BigIntStats | undefined;
    }
  | { readonly given: string; readonly kind: 'glob'; readonly pattern: string };

async function kindOf(given: string): Promise<Kind> {
  if (given === '-') return { given, kind: 'list', path: '-', stats: undefined };
  if (isUrl(given)) return { given, kind: 'url', url: given };
  const path = resolve(given);
  const stats = await statsOf(path);
  if (stats === undefined) {
    if (isGlob(given)) return { given, kind: 'glob', pattern: given };
    // Node replaces bytes that are not UTF-8 by U+FFFD.
    const hint = given.includes('\ufffd') ? ' Its name is not UTF-8: name its folder or a glob instead.' : '';
    throw new ClientError('usage', 'INPUT_MISSING', `There is no file or folder "${given}".${hint}`);
  }
  if (stats.isDirectory()) return { given, kind: 'folder', path, stats };
  if (!stats.isFile()) {
    const message = `"${given}" is ${nameOfType(stats)}; a job reads files, or with "-" a list from standard input.`;
    throw new ClientError('usage', 'INPUT_UNREADABLE', message);
  }
  const isList = listEndings.includes(extname(path).toLowerCase());
  return { given, kind: isList ? 'list' : 'file', path, stats };
}

async function statsOf(path: string): Promise<BigIntStats | undefined> {
  return await stat(pathOf(path), { bigint: true }).catch(() => undefined);
}

/** Adds the files of a search; names are relative to `base`. */
async function search(
  found: Collection,
  folder: string,
  base: string,
  how: Search,
  signal: AbortSignal,
): Promise<void> {
  for await (const { files, skipped, failed } of walk(folder, how, signal)) {
    found.skipped.push(...skipped);
    found.refused.push(...failed);
    for (let at = 0; at < files.length; at += readsAtOnce) {
      const some = files.slice(at, at + readsAtOnce);
      for (const one of await Promise.all(some.map((path) => classify(path, base)))) {
        if ('kind' in one) found.skipped.push(one);
        else if ('reason' in one) found.refused.push(one);
        else found.images.push(one);
      }
    }
  }
}

/** Classifies a file of a search: an image, something else, or a failure if it cannot be read. */
async function classify(path: string, base: string): Promise<FoundImage | Skipped | JobFailure> {
  try {
    const stats = await stat(pathOf(path), { bigint: true });
    const image = { ...imageOf(path, stats, base), isMatched: true };
    if (hasImageEnding(path)) return image;
    const recognised = await recognise(path);
    return 'kind' in recognised ? { path, kind: recognised.kind } : { ...image, format: recognised.format };
  } catch (error) {
    return { source: path, ...inputFailure(error) };
  }
}

function imageOf(path: string, stats: BigIntStats, base: string): FoundImage {
  const name = relative(base, path).split(sep).join('/');
  return { source: sourceFile(path, stats), name, isGivenName: false };
}

/** The deepest folder that contains all files. */
function sharedFolder(paths: readonly string[]): string {
  const [first, ...others] = paths.map((path) => dirname(path).split(sep));
  if (first === undefined) return '';
  const differs = first.findIndex((segment, at) => others.some((other) => other[at] !== segment));
  const shared = first.slice(0, differs === -1 ? first.length : differs).join(sep);
  return shared === '' ? sep : shared;
}
