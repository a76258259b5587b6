import type { Turn } from './hypothesis.ts';

/**
 * How the pixels are turned: as EXIF says, or not.
 *
 * @param orientation - of the file, 1…8
 */
export function turnsOf(orientation: number): readonly Turn[] {
  const ignored: Turn = { id: 'ignore', words: { orientation: 'ignore' }, orientation: 1 };
  if (orientation === 1) return [{ id: 'apply', words: {}, orientation: 1 }];
  return [{ id: 'apply', words: { orientation: 'apply' }, orientation }, ignored];
}
