import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf, unreadable, wordsOf } from '../../files.ts';
import { idOf, type JobFailure, type Skipped } from '../images.ts';
import { ownFailure } from '../journal/own-failures.ts';
import { pathOf, textOfName } from '../output/file-names.ts';
import { nameOfType } from './standing.ts';

/** The result of a search in one folder. */
export interface FolderContent {
  /** Absolute paths of files and of links to files, ordered by name. */
  readonly files: readonly string[];
  readonly skipped: readonly Skipped[];
  readonly failed: readonly JobFailure[];
}

/** How a folder is searched. */
export interface Search {
  /** Id of the output folder, which is not searched. */
  readonly leftOut: string | undefined;
  /** Whether a file matches, by its path below the folder with `/`. Default: all files do. */
  readonly matches?: (path: string) => boolean;
  /** How many levels of folders are searched, counting the folder itself. Default: all. */
  readonly depth?: number;
  /** Whether hidden files and folders may match. Default: false. */
  readonly isHiddenEntered?: boolean;
}

/**
 * Lists every file below a folder, one folder at a time. Links to folders are not followed, so the search ends. Hidden
 * files, pipes, sockets, devices and broken links are skipped. No file is opened.
 *
 * @param folder - absolute
 * @throws ClientError if the folder itself cannot be read; a folder below it becomes a failure
 */
export async function* walk(
  folder: string,
  search: Search,
  signal: AbortSignal,
): AsyncGenerator<FolderContent> {
  const entries = await entriesOf(folder);
  yield* walkEntries(folder, '', entries, search, search.depth ?? Number.POSITIVE_INFINITY, signal);
}

async function* walkEntries(
  folder: string,
  below: string,
  entries: readonly NamedEntry[],
  search: Search,
  depth: number,
  signal: AbortSignal,
): AsyncGenerator<FolderContent> {
  signal.throwIfAborted();
  const content = { files: [] as string[], skipped: [] as Skipped[], failed: [] as JobFailure[] };
  const folders: string[] = [];
  for (const { name, entry } of entries) {
    const path = join(folder, name);
    const isHidden = name.startsWith('.') && search.isHiddenEntered !== true;
    if (entry.isDirectory() && !isHidden && depth > 1) {
      folders.push(name);
    } else if (search.matches?.(`${below}${name}`) ?? true) {
      const kind = isHidden ? 'hidden' : await kindOf(path, entry);
      if (kind === undefined) content.files.push(path);
      else content.skipped.push({ path, kind });
    }
  }
  yield content;
  for (const name of folders) {
    const path = join(folder, name);
    if (search.leftOut !== undefined && (await idOfPath(path)) === search.leftOut) continue;
    const inside = await entriesOf(path).catch((error) => failureOf(path, error));
    if ('source' in inside) yield { files: [], skipped: [], failed: [inside] };
    else yield* walkEntries(path, `${below}${name}/`, inside, search, depth - 1, signal);
  }
}

interface NamedEntry {
  readonly name: string;
  readonly entry: Dirent<Buffer>;
}

async function entriesOf(folder: string): Promise<NamedEntry[]> {
  try {
    const entries = await readdir(pathOf(folder), { withFileTypes: true, encoding: 'buffer' });
    const named = entries.map((entry) => ({ name: textOfName(entry.name), entry }));
    return named.sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (cause) {
    throw unreadable(folder, cause);
  }
}

function failureOf(source: string, error: unknown): JobFailure {
  return {
    source,
    ...ownFailure('INPUT_UNREADABLE', error instanceof Error ? error.message : String(error)),
  };
}

/** The kind of an entry that is not a file; undefined for a file and for a link to one. */
async function kindOf(path: string, entry: Dirent<Buffer>): Promise<string | undefined> {
  if (entry.isFile()) return undefined;
  if (!entry.isSymbolicLink()) return kindOfType(entry);
  try {
    const stats = await stat(pathOf(path));
    if (stats.isFile()) return undefined;
    return stats.isDirectory() ? 'link to a folder' : kindOfType(stats);
  } catch (error) {
    return ['ENOENT', 'ELOOP', 'ENOTDIR'].includes(codeOf(error) ?? '') ? 'broken link' : wordsOf(error);
  }
}

function kindOfType(type: Parameters<typeof nameOfType>[0]): string {
  return nameOfType(type).replace(/^a /, '');
}

async function idOfPath(path: string): Promise<string | undefined> {
  const stats = await stat(pathOf(path), { bigint: true }).catch(() => undefined);
  return stats && idOf(stats);
}
