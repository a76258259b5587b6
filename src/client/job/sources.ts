import type { Dirent, Stats } from 'node:fs';
import { glob, readdir, stat } from 'node:fs/promises';
import { dirname, extname, join, relative, resolve, sep } from 'node:path';
import { ClientError } from '../client-error.ts';
import type { FoundImage, JobFailure } from './images.ts';
import { isUrl, type ListOptions, listEndings, nameOfUrl, readList } from './lists.ts';

/** Endings of files that a folder is searched for; what is named by itself, in a glob or a list, may have any. */
const imageEndings = /\.(jpe?g|jpe|jfif|png|webp|avif|gif|tiff?)$/i;

/** Files whose length and time are asked for at once. */
const statsAtOnce = 64;

/** What the sources of a job come to. */
export interface Found {
  readonly images: readonly FoundImage[];
  /** Rows of lists that nothing can be made of. */
  readonly refused: readonly JobFailure[];
}

/**
 * Finds the images of a job: files, folders with all below them, globs, URLs and lists. Names in the output: below
 * one folder as they lie in it; of several folders each keeps its own name before; below the part of a glob that
 * has no wildcard; of files the part that they don't share; of a URL host and path. In folders, names with a dot
 * before them, links to folders and the output folder itself are left out.
 *
 * @param outputFolder - absolute
 * @throws ClientError for a source that does not exist, cannot be read or has nothing in it
 */
export async function findImages(
  sources: readonly string[],
  outputFolder: string,
  listOptions: ListOptions,
  signal: AbortSignal,
): Promise<Found> {
  const kinds = await Promise.all(sources.map(kindOf));
  const folders = kinds.filter(({ kind }) => kind === 'folder');
  const files = kinds.flatMap((each) => (each.kind === 'file' ? [each] : []));
  const shared = sharedFolder(files.map(({ path }) => path));
  const images: FoundImage[] = [];
  const refused: JobFailure[] = [];
  for (const each of kinds) {
    signal.throwIfAborted();
    const before = images.length + refused.length;
    if (each.kind === 'url') {
      images.push({ source: { url: each.url }, name: nameOfUrl(each.url), isGivenName: false });
    } else if (each.kind === 'file') {
      images.push(imageOf(each.path, each.stats, shared));
    } else if (each.kind === 'folder') {
      // Of several folders each keeps its name.
      const base = folders.length > 1 ? dirname(each.path) : each.path;
      for await (const path of filesBelow(each.path, outputFolder, signal))
        images.push(...(await look(path, base)));
    } else if (each.kind === 'glob') {
      const base = resolve(fixedPart(each.pattern));
      const paths: string[] = [];
      for await (const path of glob(each.pattern)) paths.push(resolve(path));
      paths.sort();
      for (const some of chunks(paths)) images.push(...(await look(some, base)));
    } else {
      const list = await readList(each.path, listOptions, signal);
      images.push(...list.images);
      refused.push(...list.refused);
    }
    if (images.length + refused.length === before && each.kind !== 'list') {
      throw new ClientError('usage', 'INPUT_EMPTY', `There is no image in "${each.given}".`);
    }
  }
  return { images, refused };
}

type Kind =
  | { readonly given: string; readonly kind: 'url'; readonly url: string }
  | { readonly given: string; readonly kind: 'file'; readonly path: string; readonly stats: Stats }
  | { readonly given: string; readonly kind: 'folder' | 'list'; readonly path: string }
  | { readonly given: string; readonly kind: 'glob'; readonly pattern: string };

async function kindOf(given: string): Promise<Kind> {
  if (given === '-') return { given, kind: 'list', path: '-' };
  if (isUrl(given)) return { given, kind: 'url', url: given };
  const path = resolve(given);
  const stats = await stat(path).catch(() => undefined);
  if (stats?.isDirectory()) return { given, kind: 'folder', path };
  if (stats !== undefined) {
    return listEndings.includes(extname(path).toLowerCase())
      ? { given, kind: 'list', path }
      : { given, kind: 'file', path, stats };
  }
  if (/[*?[\]{}]/.test(given)) return { given, kind: 'glob', pattern: given };
  throw new ClientError('usage', 'INPUT_MISSING', `There is no file or folder "${given}".`);
}

/** The files below a folder that have an image's ending, a folder's together, in the order of their names. */
async function* filesBelow(folder: string, leftOut: string, signal: AbortSignal): AsyncGenerator<string[]> {
  signal.throwIfAborted();
  const entries = (await entriesOf(folder)).filter(({ name }) => !name.startsWith('.'));
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  const files = entries.filter((entry) => !entry.isDirectory() && imageEndings.test(entry.name));
  yield* chunks(files.map(({ name }) => join(folder, name)));
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() && path !== leftOut) yield* filesBelow(path, leftOut, signal);
  }
}

async function entriesOf(folder: string): Promise<Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (cause) {
    throw new ClientError('files', 'INPUT_UNREADABLE', `The folder "${folder}" cannot be read.`, { cause });
  }
}

function* chunks(paths: readonly string[]): Generator<string[]> {
  for (let at = 0; at < paths.length; at += statsAtOnce) yield paths.slice(at, at + statsAtOnce);
}

/** Those of the paths that are files (or links to some), as images. */
async function look(paths: readonly string[], base: string): Promise<FoundImage[]> {
  const looked = await Promise.all(
    paths.map(async (path) => {
      const stats = await stat(path).catch(() => undefined);
      return stats?.isFile() ? [imageOf(path, stats, base)] : [];
    }),
  );
  return looked.flat();
}

function imageOf(path: string, { size, mtimeMs }: Stats, base: string): FoundImage {
  const name = relative(base, path).split(sep).join('/');
  return { source: { path, bytes: size, mtimeMs }, name, isGivenName: false };
}

/** The folders of a glob that come before its first wildcard. */
function fixedPart(pattern: string): string {
  const segments = pattern.split('/');
  const first = segments.findIndex((segment) => /[*?[\]{}]/.test(segment));
  return segments.slice(0, first).join('/') || (pattern.startsWith('/') ? '/' : '.');
}

/** The deepest folder that all files are in. */
function sharedFolder(paths: readonly string[]): string {
  const [first, ...others] = paths.map((path) => dirname(path).split(sep));
  if (first === undefined) return '';
  const differs = first.findIndex((segment, at) => others.some((other) => other[at] !== segment));
  const shared = first.slice(0, differs === -1 ? first.length : differs).join(sep);
  return shared === '' ? sep : shared;
}
