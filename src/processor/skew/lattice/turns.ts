import { orient } from '../../codecs/orient.ts';
import type { Pixels } from '../../image/pixels.ts';
import type { Turn } from './hypothesis.ts';

/** EXIF's orientations as words for what they do to an upright picture. */
const movements = {
  2: 'mirrored',
  4: 'flipped vertically',
  3: 'rotated by 180°',
  6: 'rotated by 90° clockwise',
  8: 'rotated by 90° counter-clockwise',
  5: 'transposed',
  7: 'transposed along the other diagonal',
} as const;

/**
 * How the pixels are turned: as EXIF says, not at all, or in one of the other ways, as augmentations and transposed axes
 * do.
 *
 * @param orientation - of the file, 1…8
 */
export function turnsOf(orientation: number): readonly Turn[] {
  const isTurned = orientation !== 1;
  const apply: Turn = { id: 'apply', words: isTurned ? { orientation: 'apply' } : {}, orientation };
  const ignore: Turn = { id: 'ignore', words: { orientation: 'ignore' }, orientation: 1 };
  const others = Object.entries(movements).map(
    ([movement, words]): Turn => ({
      id: words,
      words: { orientation: words },
      isUnusual: true,
      orientation: combined(orientation, Number(movement)),
    }),
  );
  return [
    apply,
    ...(isTurned ? [ignore] : []),
    ...others.filter((other) => !isTurned || other.orientation !== 1),
  ];
}

/** Six pixels that are different in all eight orientations. */
const sample: Pixels = { data: Uint8Array.of(0, 1, 2, 3, 4, 5), width: 3, height: 2, channels: 1 };

/** The orientation that does what two do in a row. */
function combined(first: number, second: number): number {
  const wanted = orient(orient(sample, first), second);
  const same = [1, 2, 3, 4, 5, 6, 7, 8].find((orientation) => {
    const { data, width } = orient(sample, orientation);
    return width === wanted.width && Buffer.compare(data, wanted.data) === 0;
  });
  return same ?? first;
}
