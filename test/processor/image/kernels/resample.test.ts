import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { orient, sizeUpright } from '../../../../src/processor/codecs/orient.ts';
import type { Cutout } from '../../../../src/processor/image/cutout.ts';
import { luma } from '../../../../src/processor/image/kernels/luma.ts';
import {
  type Box,
  checkWork,
  resample,
  resampleToLuma,
  resampleUpright,
} from '../../../../src/processor/image/kernels/resample.ts';
import { useKernels } from '../../../../src/processor/image/kernels/wasm.ts';
import type { Pixels } from '../../../../src/processor/image/pixels.ts';
import type { Size } from '../../../../src/processor/image/shortest-edge.ts';
import { partOf } from '../../../support/part-of.ts';
import { noise } from './noise.ts';
import { resampleScalar } from './resample-scalar.ts';

const mebibyte = 2 ** 20;

const filters = ['nearest', 'box', 'bilinear', 'hamming', 'bicubic', 'lanczos'] as const;

const filter = fc.constantFrom(...filters);
const channels = fc.constantFrom(1, 2, 3, 4);
const pattern = fc.constantFrom('bytes', 'extremes');
const pillow = fc.constantFrom('12.1', '12.3', '13.0');

/** Two positions along one side, as fractions of it. */
const cuts = fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true }));

function boxOf(
  width: number,
  height: number,
  across: [number, number],
  down: [number, number],
  whole: boolean,
): Box {
  const [left, right] = across
    .map((part) => (whole ? Math.round(part * width) : part * width))
    .sort(ascending);
  const [top, bottom] = down
    .map((part) => (whole ? Math.round(part * height) : part * height))
    .sort(ascending);
  return [left as number, top as number, right as number, bottom as number];
}

/** Some whole pixels of an image, one at least. */
function cutoutIn({ width, height }: Size, across: [number, number], down: [number, number]): Cutout {
  const [left, right] = ends(width, across);
  const [top, bottom] = ends(height, down);
  return { left, top, right, bottom };
}

function ends(side: number, cuts: [number, number]): [number, number] {
  const [from, to] = cuts.map((part) => Math.floor(part * (side - 1))).sort(ascending);
  return [from as number, (to as number) + 1];
}

function ascending(a: number, b: number): number {
  return a - b;
}

function pixels(width: number, height: number, channels: Pixels['channels'], values: number[]): Pixels {
  return { data: Uint8Array.from(values), width, height, channels };
}

/** Images have too many bytes for toEqual to be quick; fast-check prints the case that fails. */
function expectSame(actual: Pixels, expected: Pixels): void {
  const { data, ...shape } = actual;
  expect({ ...shape, isEqual: Buffer.compare(data, expected.data) === 0 }).toEqual({
    width: expected.width,
    height: expected.height,
    channels: expected.channels,
    isEqual: true,
  });
}

describe(resample, () => {
  it('gives the bytes of the plain scalar resampler for any sizes, filter and channels', () => {
    const side = fc.integer({ min: 1, max: 90 });
    fc.assert(
      fc.property(
        ...([side, side, side, side, channels, pattern, filter, pillow] as const),
        (width, height, toWidth, toHeight, channels, pattern, filter, pillow) => {
          const source = noise(width, height, channels, pattern);
          const expected = resampleScalar(source, toWidth, toHeight, filter, undefined, pillow);
          expectSame(resample(source, toWidth, toHeight, filter, undefined, pillow), expected);
        },
      ),
      { numRuns: 1500 },
    );
  });

  it('gives the bytes of the plain scalar resampler for any part of an image', () => {
    const side = fc.integer({ min: 1, max: 60 });
    fc.assert(
      fc.property(
        ...([side, side, side, side, cuts, cuts, fc.boolean(), channels, filter, pillow] as const),
        (width, height, toWidth, toHeight, across, down, isWhole, channels, filter, pillow) => {
          const source = noise(width, height, channels);
          const box = boxOf(width, height, across, down, isWhole);
          const expected = resampleScalar(source, toWidth, toHeight, filter, box, pillow);
          expectSame(resample(source, toWidth, toHeight, filter, box, pillow), expected);
        },
      ),
      { numRuns: 1500 },
    );
  });

  it('gives the bytes of the plain scalar resampler for images as thin as a line', () => {
    const length = fc.integer({ min: 1, max: 5000 });
    const breadth = fc.integer({ min: 1, max: 3 });
    fc.assert(
      fc.property(
        ...([length, breadth, length, breadth, fc.boolean(), channels, filter, pillow] as const),
        (long, thin, toLong, toThin, isUpright, channels, filter, pillow) => {
          const source = isUpright ? noise(thin, long, channels) : noise(long, thin, channels);
          const [width, height] = isUpright ? [toThin, toLong] : [toLong, toThin];
          const expected = resampleScalar(source, width, height, filter, undefined, pillow);
          expectSame(resample(source, width, height, filter, undefined, pillow), expected);
        },
      ),
      { numRuns: 150 },
    );
  });

  it.each([
    { pillow: '12.1', first: 'across' },
    { pillow: '13.0', first: 'down' },
  ] as const)(
    'takes a few megabytes where the rows between the passes are many, $first first',
    ({ pillow }) => {
      // All 1500 rows of 4000 pixels make up the one row of the result: 18 MB, if not cut into strips.
      const source = noise(300, 1500, 3);
      useKernels((arena) => arena.take(65 * mebibyte));
      const result = resample(source, 4000, 1, 'bilinear', undefined, pillow);
      useKernels((arena) => expect(arena.memory.byteLength).toBeLessThan(6 * mebibyte));
      expectSame(result, resampleScalar(source, 4000, 1, 'bilinear', undefined, pillow));
    },
  );

  it('weighs a pixel by how much of the result it covers', () => {
    // Windows of 3 pixels with weights 3/7, 3/7, 1/7 and the mirror image.
    const source = pixels(4, 1, 1, [70, 0, 140, 210]);
    expect(resample(source, 2, 1, 'bilinear').data).toEqual(Uint8Array.of(50, 150));
  });

  it('rounds to whole levels between the passes, first across and then down', () => {
    // Rows of mean 0.5 and 0, rounded to 1 and 0, have the mean 0.5: rounded 1. In one go 0.25 would be 0.
    const source = pixels(2, 2, 1, [0, 1, 0, 0]);
    expect(resample(source, 1, 1, 'box').data).toEqual(Uint8Array.of(1));
  });

  it.each([
    // 40 rows fewer, and 19 or 20 columns.
    { pillow: '13.0', source: [100, 100], size: [81, 60], first: 'down' },
    { pillow: '13.0', source: [100, 100], size: [80, 60], first: 'across' },
    { pillow: '12.3', source: [100, 100], size: [81, 60], first: 'across' },
    { pillow: '12.3', source: [3, 301], size: [2, 150], first: 'down' },
    { pillow: '12.3', source: [3, 300], size: [2, 150], first: 'across' },
    { pillow: '12.1', source: [3, 301], size: [2, 150], first: 'across' },
  ] as const)(
    'as Pillow $pillow goes first $first from $source to $size',
    ({ pillow, source, size, first }) => {
      const [width, height] = size;
      const image = noise(source[0], source[1], 3);
      const lower = resample(image, source[0], height, 'bicubic', undefined, '12.1');
      const narrower = resample(image, width, source[1], 'bicubic', undefined, '12.1');
      const step = first === 'down' ? lower : narrower;
      const expected = resample(step, width, height, 'bicubic', undefined, '12.1');
      expectSame(resample(image, width, height, 'bicubic', undefined, pillow), expected);
    },
  );

  it('ignores the colour of transparent pixels', () => {
    const source = pixels(2, 1, 4, [200, 100, 50, 255, 255, 255, 255, 0]);
    expect(resample(source, 1, 1, 'box').data).toEqual(Uint8Array.of(199, 99, 49, 128));
  });

  it('clips the overshoot of a filter with negative lobes at an edge', () => {
    const source = pixels(4, 1, 1, [0, 0, 255, 255]);
    const { data } = resample(source, 16, 1, 'lanczos');
    expect([Math.min(...data), Math.max(...data)]).toEqual([0, 255]);
  });

  it('copies an image that keeps its size', () => {
    const source = noise(5, 4, 4);
    const same = resample(source, 5, 4, 'lanczos');
    expect(same).toEqual(source);
    expect(same.data.buffer).not.toBe(source.data.buffer);
  });

  it('returns its own ArrayBuffer, which can be transferred', () => {
    for (const filter of filters) {
      const { data } = resample(noise(50, 40, 3), 20, 30, filter);
      expect([data.byteOffset, data.buffer.byteLength]).toEqual([0, 1800]);
      expect(structuredClone(data, { transfer: [data.buffer as ArrayBuffer] })).toHaveLength(1800);
    }
  });

  it('reads a source within a larger buffer', () => {
    const { data } = noise(20, 10, 3);
    const inside = Buffer.concat([Buffer.alloc(7, 99), data, Buffer.alloc(5, 99)]).subarray(7, 607);
    const source = { data: inside, width: 20, height: 10, channels: 3 } as const;
    expect(resample(source, 7, 9, 'bicubic')).toEqual(resample({ ...source, data }, 7, 9, 'bicubic'));
  });

  it('refuses a box that extends beyond the image', () => {
    const source = noise(5, 4, 1);
    expect(() => resample(source, 2, 2, 'box', [0, 0, 5.01, 4])).toThrow(RangeError);
    expect(() => resample(source, 2, 2, 'box', [-0.01, 0, 5, 4])).toThrow(RangeError);
    expect(() => resample(source, 2, 2, 'nearest', [0, 3, 5, 2])).toThrow(RangeError);
    expect(() => resample(source, 2, 2, 'box', [0, Number.NaN, 5, 2])).toThrow(RangeError);
  });

  it('refuses excessive work', () => {
    expect(() => resample(noise(1, 65_000, 1), 1_000_000, 1, 'bilinear', undefined, '12.1')).toThrow(
      expect.objectContaining({
        reason: 'OUTPUT_PIXELS_OVER_LIMIT',
        metadata: { limit: '268435456', actual: '65000000000' },
      }),
    );
  });

  it('refuses sides that are too long for weights', () => {
    expect(() => resample(noise(1, 1, 1), 1_048_577, 1, 'bilinear')).toThrow(
      expect.objectContaining({
        reason: 'OUTPUT_PIXELS_OVER_LIMIT',
        metadata: { limit: '1048576', actual: '1048577' },
      }),
    );
    expect(resample(noise(1, 1, 1), 1_048_576, 1, 'bilinear').data).toHaveLength(1_048_576);
  });
});

describe(resampleToLuma, () => {
  it('gives the bytes of luma after resample', () => {
    const side = fc.integer({ min: 1, max: 70 });
    fc.assert(
      fc.property(
        ...([side, side, side, side, filter] as const),
        (width, height, toWidth, toHeight, filter) => {
          const source = noise(width, height, 3);
          const expected = luma(resample(source, toWidth, toHeight, filter));
          expectSame(resampleToLuma(source, toWidth, toHeight, filter), expected);
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe(resampleUpright, () => {
  const sizes = [
    [37, 53, 20, 10],
    [53, 37, 10, 20],
    [40, 300, 33, 12],
    [300, 40, 33, 12],
    [20, 30, 41, 62],
    [64, 64, 64, 20],
  ] as const;

  it.each([1, 2, 3, 4, 5, 6, 7, 8])(
    'gives the bytes of the picture turned before, for orientation %i',
    (how) => {
      for (const [sourceWidth, sourceHeight, width, height] of sizes) {
        for (const channels of [1, 2, 3, 4] as const) {
          const stored = noise(sourceWidth, sourceHeight, channels);
          const upright = orient(stored, how);
          const part = [upright.width * 0.1, 1.25, upright.width - 2.5, upright.height * 0.9] as const;
          for (const filter of ['nearest', 'box', 'bilinear', 'hamming', 'bicubic', 'lanczos'] as const) {
            for (const box of [undefined, part]) {
              const expected = resample(upright, width, height, filter, box);
              expectSame(resampleUpright(stored, how, { width, height, filter, box }, false), expected);
              if (channels !== 3) continue;
              const gray = resampleUpright(stored, how, { width, height, filter, box }, true);
              expectSame(gray, luma(expected));
            }
          }
        }
      }
    },
  );

  it('turns a picture whose size stays the same', () => {
    const stored = noise(5, 3, 3);
    const target = { width: 3, height: 5, filter: 'bilinear' } as const;
    expectSame(resampleUpright(stored, 6, target, false), orient(stored, 6));
  });

  describe('of a part of the result', () => {
    const orientation = fc.integer({ min: 1, max: 8 });

    it('gives the same bytes as the whole, for any sizes, filter, channels and orientation', () => {
      const side = fc.integer({ min: 1, max: 90 });
      fc.assert(
        fc.property(
          ...([
            side,
            side,
            side,
            side,
            channels,
            pattern,
            filter,
            orientation,
            cuts,
            cuts,
            fc.boolean(),
          ] as const),
          (width, height, toWidth, toHeight, channels, pattern, filter, how, across, down, isGray) => {
            const stored = noise(width, height, channels, pattern);
            const target = { width: toWidth, height: toHeight, filter };
            const toLuma = isGray && channels === 3;
            const cutout = cutoutIn(target, across, down);
            const expected = partOf(resampleUpright(stored, how, target, toLuma), cutout);
            expectSame(resampleUpright(stored, how, { ...target, cutout }, toLuma), expected);
          },
        ),
        { numRuns: 1500 },
      );
    });

    it('gives the same bytes if a box of the source is resampled', () => {
      const side = fc.integer({ min: 1, max: 60 });
      fc.assert(
        fc.property(
          ...([side, side, side, side, cuts, cuts, channels, filter, orientation, cuts, cuts] as const),
          (width, height, toWidth, toHeight, boxAcross, boxDown, channels, filter, how, across, down) => {
            const stored = noise(width, height, channels);
            const upright = sizeUpright(stored, how);
            const box = boxOf(upright.width, upright.height, boxAcross, boxDown, false);
            const target = { width: toWidth, height: toHeight, filter, box };
            const cutout = cutoutIn(target, across, down);
            const expected = partOf(resampleUpright(stored, how, target, false), cutout);
            expectSame(resampleUpright(stored, how, { ...target, cutout }, false), expected);
          },
        ),
        { numRuns: 700 },
      );
    });

    it('gives the same bytes for a thin image that becomes long', () => {
      const length = fc.integer({ min: 1, max: 3000 });
      const breadth = fc.integer({ min: 1, max: 3 });
      fc.assert(
        fc.property(
          ...([length, breadth, length, breadth, channels, filter, orientation, cuts, cuts] as const),
          (long, thin, toLong, toThin, channels, filter, how, across, down) => {
            const stored = noise(thin, long, channels);
            const [width, height] = how < 5 ? [toThin, toLong] : [toLong, toThin];
            const target = { width, height, filter };
            const cutout = cutoutIn(target, across, down);
            const expected = partOf(resampleUpright(stored, how, target, false), cutout);
            expectSame(resampleUpright(stored, how, { ...target, cutout }, false), expected);
          },
        ),
        { numRuns: 150 },
      );
    });

    // Image.resize((7, 1), NEAREST) gives 10, 10, 10, 10, 20, 20, 20: half of 2/7 and three times 2/7 fall short of 1
    // where they are added up, and come to 1 as 3.5 × 2/7.
    it('picks pixels by the sum of all steps before it', () => {
      const cutout = { left: 3, top: 0, right: 5, bottom: 1 };
      const target = { width: 7, height: 1, filter: 'nearest', cutout } as const;
      expect(resampleUpright(pixels(2, 1, 1, [10, 20]), 1, target, false).data).toEqual(
        Uint8Array.of(10, 20),
      );
    });

    it('gives the same bytes for an image that keeps its size', () => {
      for (const how of [1, 2, 3, 4, 5, 6, 7, 8]) {
        const stored = noise(11, 8, 3);
        const { width, height } = sizeUpright(stored, how);
        const target = { width, height, filter: 'lanczos' } as const;
        const cutout = { left: 2, top: 1, right: 7, bottom: 5 };
        for (const toLuma of [false, true]) {
          const expected = partOf(resampleUpright(stored, how, target, toLuma), cutout);
          const result = resampleUpright(stored, how, { ...target, cutout }, toLuma);
          expectSame(result, expected);
          expect(result.data.buffer).not.toBe(stored.data.buffer);
        }
      }
    });

    it.each([
      // 61 rows fewer are over 2 × 20 columns, and not over 2 × 99; 40 are not over 2 × 20, and 99 are.
      { first: 'down', source: [100, 100], size: [80, 39] },
      { first: 'across', source: [100, 100], size: [80, 60] },
    ] as const)('goes first $first, as the whole does, from $source to $size', ({ source, size }) => {
      const image = noise(source[0], source[1], 3, 'extremes');
      const target = { width: size[0], height: size[1], filter: 'bicubic' } as const;
      for (const cutout of [
        { left: 30, top: 0, right: 31, bottom: size[1] },
        { left: 0, top: 20, right: size[0], bottom: 21 },
      ]) {
        const expected = partOf(resampleUpright(image, 1, target, false), cutout);
        expectSame(resampleUpright(image, 1, { ...target, cutout }, false), expected);
      }
    });

    it('takes a few megabytes if the whole would take gigabytes', () => {
      useKernels((arena) => arena.take(65 * mebibyte));
      const source = noise(1, 5000, 3);
      const cutout = { left: 0, top: 559_888, right: 224, bottom: 560_112 };
      const target = { width: 224, height: 1_120_000, filter: 'bicubic', cutout } as const;
      const { data } = resampleUpright(source, 1, target, false);
      expect(data).toHaveLength(224 * 224 * 3);
      useKernels((arena) => expect(arena.memory.byteLength).toBeLessThan(mebibyte));
    });
  });
});

describe(checkWork, () => {
  const thin = { width: 1, height: 70_000 };
  const part = { left: 0, top: 0, right: 224, bottom: 224 };

  it('limits the sides of the cutout, not of the whole', () => {
    const target = { width: 224, height: 2 ** 24, filter: 'bicubic' } as const;
    expect(() => checkWork(thin, { ...target, cutout: part })).not.toThrow();
    expect(() => checkWork(thin, target)).toThrow(
      expect.objectContaining({ metadata: { limit: '1048576', actual: '16777216' } }),
    );
  });

  it.each(['bicubic', 'nearest'] as const)(
    'refuses a whole that is too long to be laid out: %s',
    (filter) => {
      const target = { width: 224, height: 2 ** 24 + 1, filter, cutout: part };
      expect(() => checkWork(thin, target)).toThrow(
        expect.objectContaining({
          reason: 'OUTPUT_PIXELS_OVER_LIMIT',
          metadata: { limit: '16777216', actual: '16777217' },
        }),
      );
    },
  );

  it('refuses a source whose sides are too long for weights, except for nearest, which has none', () => {
    const source = { width: 1, height: 2 ** 20 + 1 };
    const target = { width: 8, height: 2 ** 23 + 8, cutout: { left: 0, top: 0, right: 8, bottom: 8 } };
    expect(() => checkWork(source, { ...target, filter: 'box' })).toThrow(
      expect.objectContaining({ metadata: { limit: '1048576', actual: '1048577' } }),
    );
    expect(() => checkWork(source, { ...target, filter: 'nearest' })).not.toThrow();
  });

  it('counts only the pixels between the passes that the part needs', () => {
    // Across first: 1,000,000 columns of the source's 1000 rows, or of those 10 that 10 rows of the result show.
    const source = { width: 1, height: 1000 };
    const target = { width: 1_000_000, height: 1000, filter: 'box' } as const;
    expect(() => checkWork(source, target)).toThrow(
      expect.objectContaining({ metadata: { limit: '268435456', actual: '1000000000' } }),
    );
    const low = { left: 0, top: 500, right: 1_000_000, bottom: 510 };
    expect(() => checkWork(source, { ...target, cutout: low })).not.toThrow();
    const narrow = { left: 0, top: 0, right: 300_000, bottom: 1000 };
    expect(() => checkWork(source, { ...target, cutout: narrow })).toThrow(
      expect.objectContaining({ metadata: { limit: '268435456', actual: '300000000' } }),
    );
  });

  it('accepts an image that keeps its size, however long', () => {
    const source = { width: 2 ** 25, height: 1 };
    expect(() => checkWork(source, { ...source, filter: 'bicubic' })).not.toThrow();
  });
});
