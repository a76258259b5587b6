import { describe, expect, it } from 'vitest';
import type { ImageHeader } from '../../../src/processor/codecs/header.ts';
import type { Plan } from '../../../src/processor/image/plan.ts';
import { priceOf } from '../../../src/processor/image/price.ts';
import { floatTensor as floats, type PlanOptions, planFrom, plannedImage } from '../../support/plans.ts';

/** 12000 × 12000 pixels. */
const header = (some: Partial<ImageHeader> = {}): ImageHeader => ({
  format: 'jpeg',
  width: 12_000,
  height: 12_000,
  orientation: 1,
  colour: 'rgb',
  bitDepth: 8,
  hasAlpha: false,
  hasIccProfile: false,
  frames: 1,
  isProgressive: false,
  samplesPerPixel: 1.5,
  ...some,
});

const thumbnail: PlanOptions = {
  resize: { fit: 'fill', width: 100, height: 100, filter: 'bilinear' },
  grayscale: true,
  output: { kind: 'image', format: 'jpeg', quality: undefined },
};

const price = (header: ImageHeader, plans: readonly PlanOptions[], encodedBytes = 0) =>
  priceOf(
    header,
    encodedBytes,
    plans.map((options) => plannedImage(header, planFrom(options))),
  );

const megabytes = (header: ImageHeader, plans: readonly PlanOptions[] = [thumbnail], encodedBytes = 0) =>
  Math.round(price(header, plans, encodedBytes).memoryBytes / 1e6);

const milliseconds = (header: ImageHeader, plans: readonly PlanOptions[] = [thumbnail]) =>
  Math.round(price(header, plans).workMs);

describe(priceOf, () => {
  it.each<[what: string, header: Partial<ImageHeader>, megabytes: number]>([
    // 144 megapixels: 3 bytes each, and the memory of the decoder.
    ['a JPEG', {}, 485],
    ['a progressive JPEG of 4:2:0', { isProgressive: true }, 874],
    ['a progressive JPEG of 4:4:4', { isProgressive: true, samplesPerPixel: 3 }, 1306],
    ['a gray progressive JPEG', { colour: 'gray', isProgressive: true, samplesPerPixel: 1 }, 442],
    ['a PNG', { format: 'png', samplesPerPixel: 3 }, 586],
    ['an interlaced PNG', { format: 'png', isProgressive: true, samplesPerPixel: 3 }, 874],
    [
      'an interlaced PNG of 16 bits with alpha',
      { format: 'png', isProgressive: true, bitDepth: 16, hasAlpha: true },
      1738,
    ],
    ['a WebP', { format: 'webp' }, 1594],
    ['an AVIF', { format: 'avif' }, 2890],
    ['a TIFF', { format: 'tiff' }, 1018],
    ['a JPEG that is turned upright', { orientation: 6 }, 917],
  ])('counts the memory that decoding %s takes', (_, some, expected) => {
    expect(megabytes(header(some))).toBe(expected);
  });

  it('counts the file itself, while processed and while waiting', () => {
    const { memoryBytes, waitingBytes } = price(header(), [thumbnail], 33_000_000);
    expect(Math.round(memoryBytes / 1e6)).toBe(485 + 33);
    expect(waitingBytes).toBe(33_000_000);
  });

  it('counts for fast numerics a small picture and the memory of the decoder', () => {
    const fast: PlanOptions = { ...thumbnail, numerics: 'fast' };
    expect(megabytes(header(), [fast])).toBe(60);
    expect(megabytes(header({ isProgressive: true }), [fast])).toBe(449);
    expect(megabytes(header(), [{ ...fast, resize: undefined, grayscale: false }])).toBe(629);
  });

  it('counts the whole source for fast numerics that resize it as exact ones', () => {
    const nearest: PlanOptions = {
      ...thumbnail,
      resize: { fit: 'fill', width: 224, height: 224, filter: 'nearest' },
    };
    const png = header({ format: 'png' });
    expect(megabytes(png, [{ ...nearest, numerics: 'fast' }])).toBe(megabytes(png, [nearest]));
  });

  it('counts one decoding for several outputs, and each output', () => {
    const tensor: PlanOptions = {
      ...thumbnail,
      resize: { fit: 'fill', width: 1000, height: 1000, filter: 'bilinear' },
      grayscale: false,
      output: floats,
    };
    // 3 bytes of each pixel resampled, 3 × (4 + 1) of the tensor.
    expect(megabytes(header(), [thumbnail, tensor])).toBe(485 + 18);
    expect(milliseconds(header())).toBe(1083);
    expect(milliseconds(header(), [thumbnail, tensor])).toBe(1083 + 432 + 12);
  });

  it('counts only the crop of a resized image, unless numerics are fast', () => {
    const shortestEdge = { fit: 'shortestEdge', shortestEdge: 4000, filter: 'bilinear' } as const;
    const crop = { width: 2000, height: 2000, origin: 'torchvision' } as const;
    const whole: PlanOptions = { ...thumbnail, resize: shortestEdge };
    // 4000 × 4000 and 2000 × 2000 pixels of 3 bytes and one for the JPEG; 3 ns for each of 144 megapixels or a quarter.
    expect(megabytes(header(), [whole]) - megabytes(header(), [thumbnail])).toBe(48 + 16);
    expect(megabytes(header(), [{ ...whole, crop }]) - megabytes(header(), [thumbnail])).toBe(12 + 4);
    expect(milliseconds(header(), [{ ...whole, crop }])).toBe(
      milliseconds(header(), [whole]) - 324 - 160 + 40,
    );
    // The decoded pixels, at most 8000 × 8000, the resized pixels and the crop.
    expect(megabytes(header(), [{ ...whole, crop, numerics: 'fast' }])).toBe(10 + 43 + 192 + 48 + 12 + 4);
  });

  it.each([
    // Of three channels: 2 ns for each of 12 megapixels; 2 or 4 taps for each of them and for each of 224 × 3000 values
    // between the passes, 6 ns each.
    [{ antialias: 'bilinear' }, 528],
    [{ antialias: 'bicubic' }, 984],
    // Those 2 ns, and 30 for each value of the result.
    [{}, 77],
  ] as const)('counts values that are resized as floats: %o', (options, expected) => {
    const photograph = header({ width: 4000, height: 3000 });
    const size = { fit: 'fill', width: 224, height: 224 } as const;
    const arrangement = { kind: 'resizedValues', size, ...options } as const;
    const resized = milliseconds(photograph, [{ output: { ...floats, arrangement } }]);
    expect(resized - milliseconds(photograph, [{ output: floats }])).toBe(expected);
  });

  it('counts the padding of a crop that is larger than the image', () => {
    const crop = { width: 2000, height: 2000, origin: 'torchvision' } as const;
    const padded: PlanOptions = { ...thumbnail, crop };
    expect(megabytes(header(), [padded]) - megabytes(header(), [thumbnail])).toBe(12 + 4);
  });

  it('prices a thin image by the small part that a crop keeps', () => {
    const clip: PlanOptions = {
      ...thumbnail,
      resize: { fit: 'shortestEdge', shortestEdge: 224, filter: 'bicubic' },
      crop: { width: 224, height: 224, origin: 'transformers' },
    };
    expect(megabytes(header({ width: 1, height: 5000 }), [clip])).toBe(10);
  });

  it('derives the time from the format: images that are expensive for admission', () => {
    const photograph = { width: 2725, height: 2225 };
    expect(milliseconds(header(photograph))).toBe(49);
    expect(milliseconds(header({ ...photograph, isProgressive: true, samplesPerPixel: 3 }))).toBe(100);
    expect(milliseconds(header({ ...photograph, format: 'avif' }))).toBe(294);
    expect(milliseconds(header(photograph), [{ ...thumbnail, numerics: 'fast' }])).toBe(36);
  });

  it('counts one decoding for all exact plans, and one for each fast plan', () => {
    const ofPlans = (...numerics: Plan['numerics'][]) =>
      milliseconds(
        header(),
        numerics.map((one) => ({ ...thumbnail, numerics: one })),
      );
    const [exact, fast] = [ofPlans('pillow'), ofPlans('fast')];
    // 144 megapixels at 4.5 ns.
    expect(ofPlans('pillow', 'pillow') - exact).toBeLessThan(500);
    expect(ofPlans('fast', 'fast') - fast).toBeGreaterThanOrEqual(648);
    expect(ofPlans('pillow', 'fast') - exact).toBeGreaterThanOrEqual(648);
  });
});
