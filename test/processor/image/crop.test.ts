import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CropStep, crop, cropStart } from '../../../src/processor/image/crop.ts';
import { sizeOfCutout, wholeOf } from '../../../src/processor/image/cutout.ts';
import { storedPicture } from '../../../src/processor/image/picture.ts';
import type { Pixels } from '../../../src/processor/image/pixels.ts';
import { partOf } from '../../support/part-of.ts';
import { noise } from './kernels/noise.ts';

type Size = Pick<CropStep, 'width' | 'height'>;

/** A crop of a gray or colour image, given as a whole or as the part that the crop needs. */
function centerCrop(
  image: Pixels,
  size: Size & Pick<CropStep, 'colour'>,
  origin: CropStep['origin'],
  isCutBefore = false,
): Pixels {
  const step: CropStep = { kind: 'crop', ...size, origin };
  const input = { width: image.width, height: image.height, colours: image.channels === 3 ? 3 : 1 } as const;
  const output = crop.place(step, input);
  const cutout = wholeOf(output);
  const needed = crop.inputCutout?.(input, output, cutout) ?? cutout;
  const available = isCutBefore ? sizeOfCutout(needed) : input;
  const picture = isCutBefore
    ? { pixels: partOf(image, needed), orientation: 1, cutout: needed }
    : storedPicture(image, 1);
  return crop.run(picture, { step, input, available, output, cutout, computed: size });
}

const gray = (width: number, ...values: number[]): Pixels => ({
  data: Uint8Array.from(values),
  width,
  height: values.length / width,
  channels: 1,
});

describe(cropStart, () => {
  // image side, crop side, and where transformers, its torchvision backend and torchvision begin
  it.each([
    [10, 4, 3, 3, 3],
    [10, 10, 0, 0, 0],
    [11, 4, 3, 3, 4], // 3.5
    [13, 4, 4, 4, 4], // 4.5
    [11, 10, 0, 0, 0], // 0.5
    [13, 10, 1, 1, 2], // 1.5
    [4, 10, -3, -3, -3],
    [4, 11, -4, -3, -3],
    [9, 10, -1, 0, 0],
  ])('begins in %d pixels for a crop of %d at %d, %d or %d', (image, crop, pillow, torch, torchvision) => {
    expect(cropStart(image, crop, 'transformers')).toBe(pillow);
    expect(cropStart(image, crop, 'transformers-torchvision')).toBe(torch);
    expect(cropStart(image, crop, 'torchvision')).toBe(torchvision);
  });
});

describe('crop', () => {
  // biome-ignore format: as the image stands
  const image = gray(4,
    1, 2, 3, 4,
    5, 6, 7, 8,
    9, 10, 11, 12,
  );

  it('surrounds a smaller image with a colour, in which a gray image is RGB', () => {
    const colour = [9, 8, 7] as const;
    expect(centerCrop(gray(1, 5, 6), { width: 3, height: 1, colour }, 'torchvision')).toMatchObject({
      data: Uint8Array.of(9, 8, 7, 5, 5, 5, 9, 8, 7),
      width: 3,
      height: 1,
      channels: 3,
    });
    expect(centerCrop(image, { width: 2, height: 1, colour }, 'torchvision').channels).toBe(1);
  });

  it('cuts out the middle', () => {
    expect(centerCrop(image, { width: 2, height: 1 }, 'transformers')).toEqual(gray(2, 6, 7));
    expect(centerCrop(image, { width: 4, height: 3 }, 'transformers')).toEqual(image);
  });

  it('fills with black beyond a smaller image', () => {
    // biome-ignore format: as the image stands
    expect(centerCrop(gray(1, 9), { width: 3, height: 5 }, 'transformers')).toEqual(gray(3,
      0, 0, 0,
      0, 0, 0,
      0, 9, 0,
      0, 0, 0,
      0, 0, 0,
    ));
  });

  it('puts the odd pixel of the padding before the image for transformers and after it for torchvision', () => {
    expect(centerCrop(gray(1, 9), { width: 4, height: 1 }, 'transformers')).toEqual(gray(4, 0, 0, 9, 0));
    expect(centerCrop(gray(1, 9), { width: 4, height: 1 }, 'torchvision')).toEqual(gray(4, 0, 9, 0, 0));
    expect(centerCrop(gray(1, 9), { width: 4, height: 1 }, 'transformers-torchvision')).toEqual(
      gray(4, 0, 9, 0, 0),
    );
  });

  it('cuts one axis and fills the other', () => {
    // biome-ignore format: as the image stands
    expect(centerCrop(image, { width: 2, height: 5 }, 'torchvision')).toEqual(gray(2,
      0, 0,
      2, 3,
      6, 7,
      10, 11,
      0, 0,
    ));
  });

  it('returns an image of its size unchanged', () => {
    expect(centerCrop(image, { width: 4, height: 3 }, 'torchvision')).toBe(image);
  });

  it('keeps the channels of a pixel together', () => {
    const rgb: Pixels = { data: Uint8Array.of(1, 2, 3, 4, 5, 6), width: 2, height: 1, channels: 3 };
    expect(centerCrop(rgb, { width: 4, height: 1 }, 'transformers').data).toEqual(
      Uint8Array.of(0, 0, 0, 1, 2, 3, 4, 5, 6, 0, 0, 0),
    );
    expect(centerCrop(rgb, { width: 1, height: 1 }, 'transformers').data).toEqual(Uint8Array.of(1, 2, 3));
  });
});

describe('the cutout that a crop needs', () => {
  it('gives the same crop as the whole image', () => {
    const side = fc.integer({ min: 1, max: 20 });
    const origin = fc.constantFrom('transformers', 'transformers-torchvision', 'torchvision');
    fc.assert(
      fc.property(
        ...([side, side, side, side, origin] as const),
        (width, height, cropWidth, cropHeight, origin) => {
          const image = noise(width, height, 1);
          const size = { width: cropWidth, height: cropHeight };
          expect(centerCrop(image, size, origin, true)).toEqual(centerCrop(image, size, origin));
        },
      ),
    );
  });
});
