import type { Skipped } from './images.ts';

/** The number of skipped files by kind: `7 skipped (4 text, 2 .mp4, 1 broken link)`. */
export function skippedWords(skipped: readonly Skipped[]): string {
  const counts = Map.groupBy(skipped, ({ kind }) => kind);
  const kinds = [...counts].map(([kind, { length }]) => ({ kind, length }));
  kinds.sort((a, b) => b.length - a.length || (a.kind < b.kind ? -1 : 1));
  return `${skipped.length} skipped (${kinds.map(({ kind, length }) => `${length} ${kind}`).join(', ')})`;
}

/** `1 image`, `2 images`. */
export function imagesInWords(count: number): string {
  return count === 1 ? '1 image' : `${count} images`;
}

/** A size in bytes with a binary unit. */
export function bytesInWords(bytes: number): string {
  if (bytes < 1024) return `${bytes} bytes`;
  const power = Math.min(4, Math.floor(Math.log2(bytes) / 10));
  return `${(bytes / 1024 ** power).toFixed(1)} ${['', 'KiB', 'MiB', 'GiB', 'TiB'][power]}`;
}
