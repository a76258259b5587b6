import { describe, expect, it } from 'vitest';
import { geometryOf } from '../../../src/processor/image/geometry.ts';
import type { Pixels } from '../../../src/processor/image/pixels.ts';
import type { Fit, Plan, ResizePlan } from '../../../src/processor/image/plan.ts';
import { resize } from '../../../src/processor/image/resize.ts';

function resized(
  image: Pixels,
  width: number,
  height: number,
  fit: Fit,
  some: Partial<Plan> & Partial<Pick<ResizePlan, 'filter'>> = {},
) {
  const { filter = 'nearest', ...rest } = some;
  const plan: Plan = {
    resize: { width, height, fit, filter },
    grayscale: false,
    numerics: 'exact',
    background: undefined,
    output: { kind: 'image', format: undefined, quality: undefined },
    ...rest,
  };
  const { data, ...size } = resize(
    { pixels: image, orientation: 1 },
    geometryOf(image, plan.resize, plan.crop),
    plan,
  );
  return { ...size, data: [...data] };
}

const image = (width: number, height: number, channels: Pixels['channels'], ...values: number[]): Pixels => ({
  data: Uint8Array.from(values),
  width,
  height,
  channels,
});

/** 2 × 1: red and blue. */
const redBlue = image(2, 1, 3, 255, 0, 0, 0, 0, 255);

describe(resize, () => {
  it('leaves an image alone for which no size was asked', () => {
    const plan: Plan = {
      resize: undefined,
      grayscale: false,
      numerics: 'exact',
      background: undefined,
      output: { kind: 'image', format: undefined, quality: undefined },
    };
    const decoded = { pixels: redBlue, orientation: 1 };
    expect(resize(decoded, geometryOf(redBlue, undefined), plan)).toBe(redBlue);
  });

  // Image.resize((1, 1), BILINEAR) of the values 0 and 255: 127.5, rounded up.
  it('resamples with the filter that was asked for', () => {
    expect(resized(image(2, 1, 1, 0, 255), 1, 1, 'fill', { filter: 'bilinear' }).data).toEqual([128]);
    expect(resized(image(2, 1, 1, 0, 255), 1, 1, 'fill', { filter: 'nearest' }).data).toEqual([255]);
  });

  it('cover: cuts the middle out', () => {
    expect(resized(image(3, 1, 1, 10, 20, 30), 1, 1, 'cover')).toEqual({
      width: 1,
      height: 1,
      channels: 1,
      data: [20],
    });
  });

  it('contain: lays the image between black bars', () => {
    expect(resized(redBlue, 2, 3, 'contain').data).toEqual([
      ...[0, 0, 0, 0, 0, 0],
      ...[255, 0, 0, 0, 0, 255],
      ...[0, 0, 0, 0, 0, 0],
    ]);
    expect(resized(image(1, 2, 1, 7, 8), 3, 2, 'contain').data).toEqual([0, 7, 0, 0, 8, 0]);
  });

  it('contain: gives the bars the background', () => {
    expect(resized(redBlue, 2, 2, 'contain', { background: [1, 2, 3] })).toEqual({
      width: 2,
      height: 2,
      channels: 3,
      // ImageOps.pad: (2 − 1)·0.5 is rounded to 0.
      data: [255, 0, 0, 0, 0, 255, 1, 2, 3, 1, 2, 3],
    });
  });

  it('contain: makes a gray image one of colours when the bars have a colour', () => {
    expect(resized(image(1, 2, 1, 7, 8), 2, 2, 'contain', { background: [1, 2, 3] })).toEqual({
      width: 2,
      height: 2,
      channels: 3,
      data: [7, 7, 7, 1, 2, 3, 8, 8, 8, 1, 2, 3],
    });
  });

  it('contain: makes the bars transparent where the image has alpha', () => {
    expect(resized(image(1, 2, 4, 1, 2, 3, 255, 4, 5, 6, 128), 2, 2, 'contain').data).toEqual([
      ...[1, 2, 3, 255, 0, 0, 0, 0],
      ...[4, 5, 6, 128, 0, 0, 0, 0],
    ]);
  });

  it('contain: takes a black background for one', () => {
    expect(resized(image(1, 2, 1, 7, 8), 2, 2, 'contain', { background: [0, 0, 0] }).data).toEqual([
      7, 7, 7, 0, 0, 0, 8, 8, 8, 0, 0, 0,
    ]);
  });

  it('makes no more of an image than its crop keeps', () => {
    const crop = { width: 2, height: 1, origin: 'torchvision' } as const;
    const four = image(4, 1, 1, 0, 100, 200, 40);
    // Between 0 and 100, and so on, a quarter and three quarters of the way; the middle two of eight.
    expect(resized(four, 8, 1, 'fill', { filter: 'bilinear', crop }).data).toEqual([125, 175]);
    expect(resized(four, 4, 1, 'fill', { crop }).data).toEqual([100, 200]);
  });

  it('cuts what keeps its size, and turns no more than that', () => {
    const plan: Plan = {
      resize: undefined,
      crop: { width: 1, height: 1, origin: 'torchvision' },
      grayscale: false,
      numerics: 'exact',
      background: undefined,
      output: { kind: 'image', format: undefined, quality: undefined },
    };
    const pixels = image(3, 1, 1, 10, 20, 30);
    const geometry = geometryOf({ width: 1, height: 3 }, undefined, plan.crop);
    const { data, ...size } = resize({ pixels, orientation: 6 }, geometry, plan);
    expect([size.width, size.height, ...data]).toEqual([1, 1, 20]);
  });

  it('fast: does not resample again what the decoder has resampled', () => {
    expect(resized(image(2, 1, 1, 10, 20), 2, 1, 'fill', { numerics: 'fast' }).data).toEqual([10, 20]);
  });
});
