import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { decodeWhole } from '../../../../src/processor/codecs/decode.ts';
import { readHeader } from '../../../../src/processor/codecs/read-header.ts';
import { resample } from '../../../../src/processor/image/kernels/resample.ts';
import { encoded, photoLike } from '../../../support/pictures.ts';
import { compared, stepsOf } from '../../../support/skew.ts';

const preset = 'openai/clip-vit-base-patch32';

/** A tensor of uint8: Pillow's bilinear resize to 48 × 36, with each level changed. */
function resized(pixels: Parameters<typeof resample>[0], change: (level: number) => number) {
  const { data } = resample(pixels, 48, 36, 'bilinear');
  return { datatype: 'UINT8', shape: [36, 48, 3], content: data.map(change) };
}

describe('the range of the levels', () => {
  it.each([
    ['limited, 16 to 235', (level: number) => Math.round(16 + (level * 219) / 255)],
    [
      'expanded from 16 to 235',
      (level: number) => Math.min(255, Math.max(0, Math.round(((level - 16) * 255) / 219))),
    ],
    ['inverted, 255 − level', (level: number) => 255 - level],
  ])('is named if it is %s', async (words, change) => {
    const image = await encoded(photoLike(130, 101), 'png');
    const pixels = await decodeWhole(image, await readHeader(image, 1e8));
    const report = await compared(image, { preset }, resized(pixels, change));
    expect(report.cause?.exact).toBe(true);
    expect(stepsOf(report)).toMatchObject({ range: words });
  });
});

describe('a colour profile', () => {
  it('is named if it was applied', async () => {
    const { pixels, width, height, channels } = photoLike(130, 101);
    const image = await sharp(pixels, { raw: { width, height, channels } })
      .withIccProfile('p3')
      .png()
      .toBuffer();
    const { data, info } = await sharp(image).raw().toBuffer({ resolveWithObject: true });
    expect(info.channels).toBe(3);
    const given = resized({ data, width, height, channels: 3 }, (level) => level);
    const report = await compared(image, { preset }, given);
    expect(report.cause?.exact).toBe(true);
    expect(stepsOf(report)).toMatchObject({ icc: 'applied' });
  });

  it('is not a step if it was ignored, as the preset ignores it', async () => {
    const { pixels, width, height, channels } = photoLike(130, 101);
    const image = await sharp(pixels, { raw: { width, height, channels } })
      .withIccProfile('p3')
      .png()
      .toBuffer();
    const { data } = await sharp(image, { ignoreIcc: true }).raw().toBuffer({ resolveWithObject: true });
    const report = await compared(
      image,
      { preset },
      resized({ data, width, height, channels: 3 }, (level) => level),
    );
    expect(report.cause?.exact).toBe(true);
    expect(stepsOf(report)).not.toHaveProperty('icc');
  });
});
