import { readFileSync } from 'node:fs';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { turboJpeg } from '../../../../src/processor/codecs/jpeg/turbojpeg.ts';
import { latticeGoldens } from '../../../support/lattice-goldens.ts';
import { floatTensor, planFrom } from '../../../support/plans.ts';
import { comparedWith } from '../../../support/skew.ts';

const sample = new Uint8Array(readFileSync(new URL('../../../fixtures/sample.jpg', import.meta.url)));
const [width, height] = [48, 32];

const plan = planFrom({
  resize: { fit: 'fill', width, height, filter: 'bilinear' },
  output: { ...floatTensor, container: 'safetensors' },
});

/** sample.jpg as a PNG with the alpha of make_lattice_goldens.py. */
async function transparent(): Promise<Uint8Array> {
  const { data, info } = await sharp(sample, { ignoreIcc: true })
    .ensureAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  for (let at = 0; at < info.width * info.height; at++) {
    data[4 * at + 3] = ((at % info.width) + 2 * Math.floor(at / info.width)) % 256;
  }
  return await sharp(data, { raw: { width: info.width, height: info.height, channels: 4 } })
    .png({ compressionLevel: 1 })
    .toBuffer();
}

/** Which steps of the pipeline that made a golden are named, without those of every uint8 tensor. */
async function namedSteps(name: string, content: Uint8Array) {
  const given = Buffer.from(latticeGoldens.results[name] ?? '', 'base64');
  const { cause } = await comparedWith(content, plan, {
    datatype: 'UINT8',
    shape: [height, width, 3],
    content: given,
  });
  const ofPixels = cause?.steps.filter(
    (step) => !['scale', 'mean', 'std', 'rounding', 'datatype', 'layout'].includes(step.name),
  );
  return {
    exact: cause?.exact,
    steps: Object.fromEntries((ofPixels ?? []).map((step) => [step.name, [step.yours, ...step.also]])),
  };
}

/** Steps whose values are these, or one of several that give the same. */
function exactly(steps: Readonly<Record<string, string>>) {
  const named = Object.entries(steps).map(([name, words]) => [name, expect.arrayContaining([words])]);
  return { exact: true, steps: Object.fromEntries(named) };
}

const causes = {
  'gray before': { grayscale: "Pillow's L, before the resize" },
  mean: { grayscale: 'mean of R, G and B, rounded down' },
  mirrored: { orientation: 'mirrored' },
  'upside down': { orientation: 'rotated by 180°' },
  inverted: { range: 'inverted, 255 − level' },
  GBR: { channel_order: 'GBR' },
  'JPEG before': { recompression: 'JPEG quality 75, 4:2:0, before the resize' },
  'JPEG after': { recompression: 'JPEG quality 83, 4:2:0, after the resize' },
  'JPEG 4:4:4 after': { recompression: 'JPEG quality 91, 4:4:4, after the resize' },
  'cv2 JPEG after': { recompression: 'JPEG quality 95, 4:2:0, after the resize' },
  'WebP before': { recompression: 'WebP quality 80, before the resize' },
  'WebP after': { recompression: 'WebP quality 80, after the resize' },
};

const causesOfAlpha = {
  white: { alpha: 'white' },
  'white, rounded down': { alpha: 'white, rounded down' },
  'drop later': { alpha: 'drop, after the resize' },
};

const causesByTurboJpeg = {
  draft: { decoder: 'libjpeg-turbo, scaled to 1/4 by the decoder' },
  fast: { decoder: 'libjpeg-turbo, fast DCT, interpolated chroma' },
  'cv2 gray': { numerics: 'OpenCV INTER_LINEAR', grayscale: 'the luma that the JPEG contains' },
};

describe('the cause of a tensor that a library made', { timeout: 240_000 }, () => {
  it.each(Object.entries(causes))('is named: %s', async (name, steps) => {
    expect(await namedSteps(name, sample)).toEqual(exactly(steps));
  });

  it.each(Object.entries(causesOfAlpha))('is named for a source with alpha: %s', async (name, steps) => {
    expect(await namedSteps(name, await transparent())).toEqual(exactly(steps));
  });

  it.skipIf(turboJpeg === undefined).each(Object.entries(causesByTurboJpeg))(
    'is named with TurboJPEG: %s',
    async (name, steps) => {
      expect(await namedSteps(name, sample)).toEqual(exactly(steps));
    },
  );
});
