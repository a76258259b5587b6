import { describe, expect, it } from 'vitest';
import type { ImageHeader } from '../../../src/processor/codecs/header.ts';
import type { Pixels } from '../../../src/processor/image/pixels.ts';
import { exactStages, fastStages } from '../../../src/processor/image/stages.ts';
import { type Fit, type PlanOptions, planFrom, plannedImage } from '../../support/plans.ts';

/** Runs the steps of a plan on decoded pixels. */
async function run(stored: Pixels, options: PlanOptions, orientation = 1): Promise<Pixels> {
  const { width, height, channels } = stored;
  const header: ImageHeader = {
    format: 'png',
    width,
    height,
    orientation,
    colour: channels < 3 ? 'gray' : 'rgb',
    bitDepth: 8,
    hasAlpha: channels === 4,
    hasIccProfile: false,
    frames: 1,
    isProgressive: false,
    samplesPerPixel: channels,
  };
  const { plan, geometry } = plannedImage(header, planFrom(options));
  const stages = plan.numerics === 'fast' ? fastStages : exactStages;
  const [picture] = await stages({
    plan,
    geometry,
    orientation,
    decodeWhole: async () => stored,
    // As in libvips.
    decodeFast: async ({ resize }) => ({ pixels: stored, isResized: resize !== undefined }),
    stage: async (_name, stage) => await stage(),
  });
  return picture as Pixels;
}

async function resized(
  image: Pixels,
  width: number,
  height: number,
  fit: Fit,
  { filter = 'nearest', ...options }: PlanOptions & { filter?: 'nearest' | 'bilinear' } = {},
) {
  const { data, ...size } = await run(image, { resize: { width, height, fit, filter }, ...options });
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

describe('resize and bars', () => {
  it('keeps the pixels of an image without a step', async () => {
    expect(await run(redBlue, {})).toBe(redBlue);
  });

  // Image.resize((1, 1), BILINEAR) of the values 0 and 255: 127.5, rounded up.
  it('resamples with the requested filter', async () => {
    expect((await resized(image(2, 1, 1, 0, 255), 1, 1, 'fill', { filter: 'bilinear' })).data).toEqual([128]);
    expect((await resized(image(2, 1, 1, 0, 255), 1, 1, 'fill', { filter: 'nearest' })).data).toEqual([255]);
  });

  it('cover: cuts the middle out', async () => {
    expect(await resized(image(3, 1, 1, 10, 20, 30), 1, 1, 'cover')).toEqual({
      width: 1,
      height: 1,
      channels: 1,
      data: [20],
    });
  });

  it('contain: lays the image between black bars', async () => {
    expect((await resized(redBlue, 2, 3, 'contain')).data).toEqual([
      ...[0, 0, 0, 0, 0, 0],
      ...[255, 0, 0, 0, 0, 255],
      ...[0, 0, 0, 0, 0, 0],
    ]);
    expect((await resized(image(1, 2, 1, 7, 8), 3, 2, 'contain')).data).toEqual([0, 7, 0, 0, 8, 0]);
  });

  it('contain: gives the bars the background', async () => {
    expect(await resized(redBlue, 2, 2, 'contain', { background: [1, 2, 3] })).toEqual({
      width: 2,
      height: 2,
      channels: 3,
      // ImageOps.pad: (2 − 1)·0.5 is rounded to 0.
      data: [255, 0, 0, 0, 0, 255, 1, 2, 3, 1, 2, 3],
    });
  });

  it('contain: converts a gray image to colour if the bars have a colour', async () => {
    expect(await resized(image(1, 2, 1, 7, 8), 2, 2, 'contain', { background: [1, 2, 3] })).toEqual({
      width: 2,
      height: 2,
      channels: 3,
      data: [7, 7, 7, 1, 2, 3, 8, 8, 8, 1, 2, 3],
    });
  });

  it('contain: makes the bars transparent if the image has alpha', async () => {
    expect((await resized(image(1, 2, 4, 1, 2, 3, 255, 4, 5, 6, 128), 2, 2, 'contain')).data).toEqual([
      ...[1, 2, 3, 255, 0, 0, 0, 0],
      ...[4, 5, 6, 128, 0, 0, 0, 0],
    ]);
  });

  it('contain: treats a black background as a colour', async () => {
    expect((await resized(image(1, 2, 1, 7, 8), 2, 2, 'contain', { background: [0, 0, 0] })).data).toEqual([
      7, 7, 7, 0, 0, 0, 8, 8, 8, 0, 0, 0,
    ]);
  });

  it('computes only the part of an image that its crop keeps', async () => {
    const crop = { width: 2, height: 1, origin: 'torchvision' } as const;
    const four = image(4, 1, 1, 0, 100, 200, 40);
    // Between 0 and 100, and so on, a quarter and three quarters of the way; the middle two of eight.
    expect((await resized(four, 8, 1, 'fill', { filter: 'bilinear', crop })).data).toEqual([125, 175]);
    expect((await resized(four, 4, 1, 'fill', { crop })).data).toEqual([100, 200]);
  });

  it('crops an image that keeps its size, and turns only the crop', async () => {
    const crop = { width: 1, height: 1, origin: 'torchvision' } as const;
    const { data, ...size } = await run(image(3, 1, 1, 10, 20, 30), { crop }, 6);
    expect([size.width, size.height, ...data]).toEqual([1, 1, 20]);
  });

  it('fast: does not resample again what the decoder has resampled', async () => {
    expect((await resized(image(2, 1, 1, 10, 20), 2, 1, 'fill', { numerics: 'fast' })).data).toEqual([
      10, 20,
    ]);
  });
});
