import { describe, expect, it } from 'vitest';
import { orient, sizeUpright } from '../../../src/processor/codecs/orient.ts';
import type { Pixels } from '../../../src/processor/image/pixels.ts';

/** Stored as
 *    1 2 3
 *    4 5 6
 */
const stored = (channels: 1 | 2 | 3 | 4): Pixels => ({
  data: Uint8Array.from([1, 2, 3, 4, 5, 6].flatMap((value) => Array.from({ length: channels }, () => value))),
  width: 3,
  height: 2,
  channels,
});

/** The result of ImageOps.exif_transpose in Pillow 13.0, row by row. */
const upright: readonly [orientation: number, width: number, rows: readonly number[]][] = [
  [1, 3, [1, 2, 3, 4, 5, 6]],
  [2, 3, [3, 2, 1, 6, 5, 4]],
  [3, 3, [6, 5, 4, 3, 2, 1]],
  [4, 3, [4, 5, 6, 1, 2, 3]],
  [5, 2, [1, 4, 2, 5, 3, 6]],
  [6, 2, [4, 1, 5, 2, 6, 3]],
  [7, 2, [6, 3, 5, 2, 4, 1]],
  [8, 2, [3, 6, 2, 5, 1, 4]],
];

describe(orient, () => {
  it.each(upright)('turns orientation %i upright', (orientation, width, rows) => {
    for (const channels of [1, 2, 3, 4] as const) {
      const turned = orient(stored(channels), orientation);
      expect(turned).toMatchObject({ width, height: 6 / width, channels });
      expect([...turned.data].filter((_, at) => at % channels === 0)).toEqual(rows);
      expect([...turned.data].filter((_, at) => at % channels === channels - 1)).toEqual(rows);
    }
  });

  it('turns pictures larger than one block', () => {
    const [width, height] = [100, 70];
    const data = Uint8Array.from({ length: width * height }, (_, at) => (at * 7 + (at >> 8)) & 0xff);
    const turned = orient({ data, width, height, channels: 1 }, 6);
    expect(turned).toMatchObject({ width: height, height: width });
    const expected = Array.from(
      { length: width * height },
      (_, at) => data[(height - 1 - (at % height)) * width + Math.floor(at / height)],
    );
    expect([...turned.data]).toEqual(expected);
  });
});

describe(sizeUpright, () => {
  it.each([1, 2, 3, 4])('keeps width and height for EXIF orientation %d', (orientation) => {
    expect(sizeUpright({ width: 23, height: 17 }, orientation)).toEqual({ width: 23, height: 17 });
  });

  it.each([5, 6, 7, 8])('swaps width and height for EXIF orientation %d', (orientation) => {
    expect(sizeUpright({ width: 23, height: 17 }, orientation)).toEqual({ width: 17, height: 23 });
  });
});
