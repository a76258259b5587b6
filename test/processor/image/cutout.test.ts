import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { orient } from '../../../src/processor/codecs/orient.ts';
import { cutUpright, sizeOfCutout, wholeOf } from '../../../src/processor/image/cutout.ts';
import { partOf } from '../../support/part-of.ts';
import { noise } from './kernels/noise.ts';

describe(cutUpright, () => {
  // Stored as
  //   1 2 3
  //   4 5 6
  // and the left column of the upright picture, without its last pixel.
  it.each([
    [1, [1]],
    [2, [3]],
    [3, [6]],
    [4, [4]],
    [5, [1, 2]],
    [6, [4, 5]],
    [7, [6, 5]],
    [8, [3, 2]],
  ])('cuts a part of the upright picture from pixels stored in orientation %i', (orientation, values) => {
    const stored = { data: Uint8Array.of(1, 2, 3, 4, 5, 6), width: 3, height: 2, channels: 1 } as const;
    const cutout = { left: 0, top: 0, right: 1, bottom: values.length };
    const { data, width, height } = cutUpright(stored, orientation, cutout);
    expect([width, height, [...data]]).toEqual([1, values.length, values]);
  });

  it('returns the same pixels as turning the whole', () => {
    const side = fc.integer({ min: 1, max: 40 });
    const cuts = fc.tuple(fc.nat(1000), fc.nat(1000));
    fc.assert(
      fc.property(
        ...([side, side, fc.constantFrom(1, 2, 3, 4), fc.integer({ min: 1, max: 8 }), cuts, cuts] as const),
        (width, height, channels, orientation, [left, right], [top, bottom]) => {
          const stored = noise(width, height, channels);
          const upright = orient(stored, orientation);
          const cutout = {
            left: left % upright.width,
            top: top % upright.height,
            right: (left % upright.width) + 1 + (right % (upright.width - (left % upright.width))),
            bottom: (top % upright.height) + 1 + (bottom % (upright.height - (top % upright.height))),
          };
          const { data, ...shape } = cutUpright(stored, orientation, cutout);
          expect(shape).toEqual({ ...sizeOfCutout(cutout), channels });
          expect(Buffer.compare(data, partOf(upright, cutout).data)).toBe(0);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('copies nothing if all of an upright picture is kept', () => {
    const stored = noise(5, 4, 3);
    expect(cutUpright(stored, 1, wholeOf(stored))).toBe(stored);
  });
});
