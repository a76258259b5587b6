import { stat } from 'node:fs/promises';
import { matchesGlob, sep } from 'node:path';
import { pathOf } from '../output/file-names.ts';
import type { Search } from './walk.ts';

const wildcard = /[*?[\]{}]/;

/** Whether a text has wildcards, escaped ones included. */
export function isGlob(text: string): boolean {
  return wildcard.test(text);
}

/**
 * A glob as a folder with a search. Folders at its beginning that exist under exactly these names are taken by name, and a
 * wildcard after a backslash is a plain character.
 */
export async function searchOf(pattern: string): Promise<{
  readonly folder: string;
  readonly search: Omit<Search, 'leftOut'>;
}> {
  const segments = pattern.split('/');
  const first = await firstWithWildcard(segments);
  const folder = folderOf(segments, first) || (pattern.startsWith('/') ? '/' : '.');
  const rest = segments.slice(first);
  const glob = rest.map(bracketed).join('/');
  // Braces may contain slashes.
  const isDeep = rest.includes('**') || /\{[^}]*\//.test(glob);
  const isHiddenEntered = rest.some((segment) => /(?:^|[{,])\./.test(segment));
  return {
    folder,
    search: {
      matches: (path) => matchesGlob(path.split('/').join(sep), glob),
      ...(isDeep ? {} : { depth: rest.length }),
      isHiddenEntered,
    },
  };
}

/** The index of the first segment that is no name of a folder. The last segment is always matched. */
async function firstWithWildcard(segments: readonly string[]): Promise<number> {
  for (let at = 0; at < segments.length - 1; at++) {
    const segment = segments[at] ?? '';
    if (!wildcard.test(unescaped(segment))) continue;
    const isEscaped = !wildcard.test(segment.replace(/\\./g, ''));
    const isFolder = (await stat(pathOf(folderOf(segments, at + 1))).catch(() => undefined))?.isDirectory();
    if (!isEscaped && isFolder !== true) return at;
  }
  return segments.length - 1;
}

function folderOf(segments: readonly string[], count: number): string {
  return segments.slice(0, count).map(unescaped).join('/');
}

function unescaped(segment: string): string {
  return segment.replace(/\\(?=[*?[\]{}\\])/g, '');
}

/** A segment whose escaped characters are in brackets: Node's globs have no backslash. */
function bracketed(segment: string): string {
  return segment.replace(/\\([*?[\]{}])/g, (_, character: string) =>
    character === ']' ? character : `[${character}]`,
  );
}
