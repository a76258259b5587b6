import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { orient, sizeUpright } from '../../../../src/processor/codecs/orient.ts';
import type { Cutout } from '../../../../src/processor/image/cutout.ts';
import { libraryLuma } from '../../../../src/processor/image/kernels/library-luma.ts';
import { checkOpenCvWork, resampleAsOpenCv } from '../../../../src/processor/image/kernels/opencv.ts';
import { checkTorchWork, resampleAsTorch } from '../../../../src/processor/image/kernels/torch.ts';
import {
  checkTorchLinearWork,
  resampleAsTorchLinear,
} from '../../../../src/processor/image/kernels/torch-linear.ts';
import type { Pixels } from '../../../../src/processor/image/pixels.ts';
import { partOf } from '../../../support/part-of.ts';
import { noise } from './noise.ts';

const side = fc.integer({ min: 1, max: 90 });
const orientation = fc.integer({ min: 1, max: 8 });
const channels = fc.constantFrom(1, 3, 4);
const fraction = fc.double({ min: 0, max: 1, noNaN: true });
const cuts = fc.tuple(fraction, fraction, fraction, fraction);

/** Some whole pixels of an image, one at least. */
function cutoutIn(width: number, height: number, [a, b, c, d]: [number, number, number, number]): Cutout {
  const [left, right] = [Math.floor(a * (width - 1)), Math.floor(b * (width - 1))].sort((x, y) => x - y);
  const [top, bottom] = [Math.floor(c * (height - 1)), Math.floor(d * (height - 1))].sort((x, y) => x - y);
  return { left: left as number, top: top as number, right: 1 + (right ?? 0), bottom: 1 + (bottom ?? 0) };
}

const libraries = {
  torch: {
    filter: fc.constantFrom('nearest', 'bilinear', 'bicubic', 'lanczos'),
    resample: resampleAsTorch as (stored: Pixels, orientation: number, target: object) => Pixels,
    check: checkTorchWork as (source: object, target: object) => void,
  },
  torchLinear: {
    filter: fc.constant('bilinear'),
    resample: resampleAsTorchLinear as (stored: Pixels, orientation: number, target: object) => Pixels,
    check: checkTorchLinearWork as (source: object, target: object) => void,
  },
  opencv: {
    filter: fc.constantFrom('nearest', 'bilinear', 'bicubic', 'box'),
    resample: resampleAsOpenCv as (stored: Pixels, orientation: number, target: object) => Pixels,
    check: checkOpenCvWork as (source: object, target: object) => void,
  },
} as const;

describe.each(['torch', 'torchLinear', 'opencv'] as const)('resampling as %s', (name) => {
  const { filter, resample, check } = libraries[name];

  it('gives a part of the result the same bytes as the whole, in every orientation', () => {
    const cases = [side, side, side, side, channels, filter, orientation, cuts, cuts] as const;
    fc.assert(
      fc.property(...cases, (sourceWidth, sourceHeight, width, height, count, filter, how, part, kept) => {
        const stored = noise(sourceWidth, sourceHeight, count);
        const upright = orient(stored, how);
        const source = cutoutIn(upright.width, upright.height, part);
        const cutout = cutoutIn(width, height, kept);
        const whole = resample(partOf(upright, source), 1, { width, height, filter });
        const expected = partOf(whole, cutout);
        const result = resample(stored, how, { width, height, filter, part: source, cutout });
        expect({ ...result, data: [...result.data] }).toEqual({ ...expected, data: [...expected.data] });
      }),
      { numRuns: 300 },
    );
  });

  it('copies the source if the size stays the same', () => {
    const stored = noise(5, 3, 3);
    const copy = resample(stored, 1, { width: 5, height: 3, filter: 'bilinear' });
    expect(copy).toEqual(stored);
    expect(copy.data.buffer).not.toBe(stored.data.buffer);
  });

  it('treats alpha as a channel like the others', () => {
    const [rgba, size] = [noise(40, 30, 4), { width: 17, height: 50, filter: 'bicubic' }];
    const plane = (image: Pixels, channel: number) =>
      image.data.filter((_, at) => at % image.channels === channel);
    const result = resample(rgba, 1, size);
    for (let channel = 0; channel < 4; channel++) {
      const gray: Pixels = { data: plane(rgba, channel), width: 40, height: 30, channels: 1 };
      expect(plane(result, channel).length).toBe(17 * 50);
      // OpenCV's cubic rounds the last values of a row otherwise: those are 0 to 3 of a gray row.
      const differing = plane(result, channel).filter(
        (value, at) => value !== resample(gray, 1, size).data[at],
      );
      expect(differing.length).toBeLessThanOrEqual(name === 'opencv' ? 4 : 0);
    }
  });

  it('refuses sides that would take hundreds of megabytes', () => {
    const thin = sizeUpright({ width: 1, height: 100 }, 1);
    expect(() => check(thin, { width: 224, height: 2 ** 20 + 1, filter: 'bicubic' })).toThrow(
      expect.objectContaining({
        reason: 'OUTPUT_PIXELS_OVER_LIMIT',
        metadata: { limit: '1048576', actual: '1048577' },
      }),
    );
    expect(() => check(thin, { width: 224, height: 2 ** 20, filter: 'bicubic' })).not.toThrow();
  });
});

describe(resampleAsOpenCv, () => {
  it.each([1, 5, 24, 27])(
    'rounds the last values of a row by its whole, in a part from column %i too',
    (left) => {
      // Of this image, values beyond the last whole vector of 8 differ between single precision and whole numbers.
      const target = { width: 30, height: 80, filter: 'bicubic' } as const;
      const cutout = { left, top: 0, right: 30, bottom: 80 };
      const source = noise(30, 40, 1);
      const part = resampleAsOpenCv(source, 1, { ...target, cutout });
      expect([...part.data]).toEqual([...partOf(resampleAsOpenCv(source, 1, target), cutout).data]);
    },
  );
});

describe('torch nearest-exact', () => {
  // torch.arange(n, dtype=torch.uint8)[None, None, None], interpolate(…, (height, width), mode="nearest-exact").
  it.each([
    [2, 83, 74, 41, 1],
    [2, 83, 3, 41, 0],
    [10, 205, 1, 20, 1],
    [4, 498, 1, 124, 1],
    [2, 121, 3, 60, 0],
  ])('of %i columns to %i × %i picks for column %i column %i', (from, width, height, column, picked) => {
    const data = Uint8Array.from({ length: from }, (_, level) => level);
    const source: Pixels = { data, width: from, height: 1, channels: 1 };
    const result = resampleAsTorch(source, 1, { width, height, filter: 'nearest-exact' });
    expect(result.data[column]).toBe(picked);
  });
});

describe(checkTorchWork, () => {
  it('refuses shapes with too many pixels between the passes', () => {
    const target = { width: 2 ** 20, height: 1, filter: 'bilinear' } as const;
    expect(() => checkTorchWork({ width: 1, height: 300 }, target)).toThrow(
      expect.objectContaining({
        reason: 'OUTPUT_PIXELS_OVER_LIMIT',
        metadata: { limit: '268435456', actual: '314572800' },
      }),
    );
  });
});

describe(libraryLuma, () => {
  const image = (channels: 1 | 3 | 4, ...data: number[]): Pixels => ({
    data: Uint8Array.from(data),
    width: data.length / channels,
    height: 1,
    channels,
  });

  it.each([
    // 0.2989 · 255 is 76.2, 0.587 · 255 is 149.7, 0.114 · 255 is 29.1; all of them add up to 254.97.
    ['torch', [76, 149, 29, 254]],
    ['opencv', [76, 150, 29, 255]],
  ] as const)('gives the gray of red, green, blue and white as %s does', (library, expected) => {
    const rgb = image(3, 255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255);
    expect([...libraryLuma(rgb, library).data]).toEqual(expected);
  });

  it('treats gray as a colour with equal parts', () => {
    expect([...libraryLuma(image(1, 0, 128, 255), 'torch').data]).toEqual([0, 127, 254]);
    expect([...libraryLuma(image(1, 0, 128, 255), 'opencv').data]).toEqual([0, 128, 255]);
  });

  it('keeps alpha', () => {
    expect(libraryLuma(image(4, 255, 255, 255, 7), 'torch')).toEqual({
      data: Uint8Array.of(254, 7),
      width: 1,
      height: 1,
      channels: 2,
    });
  });
});
