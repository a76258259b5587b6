import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { readHeader } from '../../../src/processor/codecs/read-header.ts';
import { cropStart } from '../../../src/processor/image/crop.ts';
import type { Colour, Pixels } from '../../../src/processor/image/pixels.ts';
import type { ImagePlan, OutputFormat, TensorPlan } from '../../../src/processor/image/plan.ts';
import { type PixelResult, processPixels } from '../../../src/processor/image/process-pixels.ts';
import { processOnePlan } from '../../support/one-plan.ts';
import { encoded, gradient, photoLike, redGreenBlue, solid } from '../../support/pictures.ts';
import { type Fit, type PlanOptions, planFrom, type ResizeOptions } from '../../support/plans.ts';

const fixture = (name: string) =>
  new Uint8Array(readFileSync(new URL(`../../fixtures/${name}`, import.meta.url)));

const orange: Colour = [255, 128, 0];

const to = (
  width: number,
  height: number,
  fit: Fit = 'fill',
  filter: ResizeOptions['filter'] = 'bilinear',
): ResizeOptions => ({ width, height, fit, filter });

const as = (format?: OutputFormat): ImagePlan => ({ kind: 'image', format, quality: undefined });

/** The pixels themselves, [1, height, width, channels]. */
const asPixels: TensorPlan = {
  kind: 'tensor',
  name: 'image',
  datatype: 'UINT8',
  layout: 'NHWC',
  rescaleFactor: 1,
  mean: [0],
  std: [1],
  channelOrder: 'RGB',
  container: 'raw',
};

async function process(content: Uint8Array, options: PlanOptions = {}, maxOutputPixels = 1_000_000) {
  const header = await readHeader(content, 100_000_000);
  return await processOnePlan(content, header, planFrom(options), maxOutputPixels);
}

async function processed(content: Uint8Array, plan: PlanOptions = {}): Promise<PixelResult> {
  const outcome = await process(content, plan);
  if ('failure' in outcome) throw new Error(`${outcome.failure.message} ${outcome.failure.cause}`);
  return outcome.result;
}

async function refusal(content: Uint8Array, plan: PlanOptions, maxOutputPixels?: number) {
  const outcome = await process(content, plan, maxOutputPixels);
  if ('result' in outcome) throw new Error('nothing was refused');
  return outcome.failure;
}

/** The pixels of an output: one channel for gray, alpha if present. */
async function pixelsOf({ content }: Pick<PixelResult, 'content'>) {
  const { format, channels, hasAlpha, space } = await sharp(content).metadata();
  const image = space === 'b-w' && !hasAlpha ? sharp(content).toColourspace('b-w') : sharp(content);
  return { format, channels, hasAlpha, data: [...(await image.raw().toBuffer())] };
}

const grayPng = (...values: number[]) =>
  sharp(Uint8Array.from(values), { raw: { width: values.length, height: 1, channels: 1 } })
    .toColourspace('b-w')
    .png()
    .toBuffer();

/** A crop, pixel by pixel, black beyond a smaller image. */
function middleOf(image: Pixels, { width, height }: { width: number; height: number }): Pixels {
  const { channels } = image;
  const left = cropStart(image.width, width, 'torchvision');
  const top = cropStart(image.height, height, 'torchvision');
  const data = new Uint8Array(width * height * channels);
  for (let y = Math.max(0, -top); y < Math.min(height, image.height - top); y++) {
    for (let x = Math.max(0, -left); x < Math.min(width, image.width - left); x++) {
      const from = ((top + y) * image.width + left + x) * channels;
      data.set(image.data.subarray(from, from + channels), (y * width + x) * channels);
    }
  }
  return { data, width, height, channels };
}

const sha256 = (values: Iterable<number>) => hash('sha256', Uint8Array.from(values));

const sample = fixture('sample.jpg');
const rgba = fixture('decode/rgba.png');

describe(processPixels, () => {
  // Each SHA-256 is of image.tobytes() in Pillow 13.0.0, with `image` made of
  // ImageOps.exif_transpose(Image.open("sample.jpg")).convert("RGB") as the title says.
  it.each<[call: string, plan: PlanOptions, size: readonly [number, number], sha256: string]>([
    [
      'image.resize((224, 224), BILINEAR).convert("L")',
      { resize: to(224, 224), grayscale: true },
      [224, 224],
      'ce1c779b10d9dc8f0cad0a08ba14d90503b11d5263e1df0fe77d24edb9dfcb5d',
    ],
    [
      'ImageOps.fit(image, (200, 300), LANCZOS)',
      { resize: to(200, 300, 'cover', 'lanczos') },
      [200, 300],
      '05b9726b0419c8fc4accdfe247ae288a9acc905d02471ae50e77ad5e3bd82f8e',
    ],
    [
      'ImageOps.pad(image, (300, 300), BICUBIC, (255, 128, 0))',
      { resize: to(300, 300, 'contain', 'bicubic'), background: orange },
      [300, 300],
      'c77f30ee3b7597e08d114805e11cb6464e19c9eb3c14e2bb6889fddb8a65cb94',
    ],
    [
      'ImageOps.contain(image, (111, 222), HAMMING)',
      { resize: to(111, 222, 'inside', 'hamming') },
      [111, 83],
      '1623b238e1af60ed157cb80002d5ff8ea9b780c108dc8e00f04bbccf8b641037',
    ],
    [
      'ImageOps.cover(image, (111, 222), BOX)',
      { resize: to(111, 222, 'outside', 'box') },
      [296, 222],
      '693a452df12de40191a7639348fdf49a535d240d9965305909b40f86d09229d2',
    ],
    [
      'image.resize((1000, 700), NEAREST)',
      { resize: to(1000, 700, 'fill', 'nearest') },
      [1000, 700],
      '85f9e329b4411b3d5494d1affc0ae9a2c6b7e94a7c10f2162e7abfb45626b998',
    ],
  ])('gives exactly the bytes of Pillow’s %s', async (_, plan, [width, height], expected) => {
    const result = await processed(sample, { ...plan, output: asPixels });
    expect(result).toMatchObject({ width, height });
    expect(hash('sha256', result.content)).toBe(expected);
  });

  it('turns an image upright before it resizes', async () => {
    const result = await processed(fixture('decode/orientation-6.jpg'), {
      resize: to(10, 12),
      output: asPixels,
    });
    expect(result).toMatchObject({ width: 10, height: 12, decisions: ['orientation=6 turned upright'] });
    expect(hash('sha256', result.content)).toBe(
      '2805f0378cdd7b28af90bddd1f85f827c03927e5c5a84d6a4f5717df71b3c4f1',
    );
  });

  it('converts pure red, green and blue to 76, 150 and 29', async () => {
    const result = await processed(await encoded(redGreenBlue, 'png'), { grayscale: true });
    expect(await pixelsOf(result)).toEqual({
      format: 'png',
      channels: 1,
      hasAlpha: false,
      data: [76, 150, 29],
    });
  });

  // (2, 0, 0) and (0, 0, 0): their mean is (1, 0, 0), whose luma is 0.3; the mean of their lumas, 1 and 0, is 1.
  it('converts to gray after the resize', async () => {
    const two = await encoded(
      { pixels: Uint8Array.of(2, 0, 0, 0, 0, 0), width: 2, height: 1, channels: 3 },
      'png',
    );
    const result = await processed(two, { resize: to(1, 1), grayscale: true });
    expect((await pixelsOf(result)).data).toEqual([0]);
    expect(result.stages.map(({ name }) => name)).toEqual(['decode', 'resize', 'grayscale', 'encode']);
  });

  it.each<[source: string, format: string]>([
    ['sample.jpg', 'jpeg'],
    ['decode/rgb.png', 'png'],
    ['decode/lossy.webp', 'webp'],
    ['decode/444.avif', 'png'],
    ['decode/plain.gif', 'png'],
    ['decode/strips.tiff', 'png'],
  ])('writes %s as %s by default', async (source, format) => {
    const result = await processed(fixture(source), { resize: to(8, 6) });
    expect(result).toMatchObject({ contentType: `image/${format}`, width: 8, height: 6, tensors: [] });
    expect((await pixelsOf(result)).format).toBe(format);
  });

  it.each(['jpeg', 'png', 'webp'] as const)('writes %s on request', async (format) => {
    const result = await processed(rgba, { output: as(format) });
    expect((await pixelsOf(result)).format).toBe(format);
  });

  it('keeps gray one channel', async () => {
    for (const format of ['jpeg', 'png'] as const) {
      const result = await processed(fixture('decode/gray.png'), { resize: to(8, 6), output: as(format) });
      expect(await pixelsOf(result)).toMatchObject({ format, channels: 1 });
    }
  });

  describe('alpha', () => {
    // Image.open("rgba.png").resize((11, 9), BILINEAR)
    it('is kept in PNG, and does not change the colours', async () => {
      const result = await processed(rgba, { resize: to(11, 9) });
      const { data, hasAlpha } = await pixelsOf(result);
      expect(hasAlpha).toBe(true);
      expect(sha256(data)).toBe('d45f5f94fc2196d735806b26b66057fe167b0fd0d25600d8aca30d2defbd321f');
      expect(result.decisions).toEqual(['alpha=kept']);
    });

    it('is kept in WebP', async () => {
      const result = await processed(rgba, { resize: to(11, 9), output: as('webp') });
      expect(await pixelsOf(result)).toMatchObject({ format: 'webp', hasAlpha: true });
    });

    // Image.open("gray-alpha.png").resize((11, 9), BILINEAR), of which 1, 1, 1, 2 are R, G, B and alpha.
    it('is kept beside gray', async () => {
      const { data } = await pixelsOf(
        await processed(fixture('decode/gray-alpha.png'), { resize: to(11, 9) }),
      );
      expect(data.filter((_, at) => at % 4 === 1)).toEqual(data.filter((_, at) => at % 4 === 2));
      expect(sha256(data.filter((_, at) => at % 4 === 0 || at % 4 === 3))).toBe(
        '4864850aa4def46bc8e71a401027bbfa3fcef214cfb7d275521e2138e9c2f389',
      );
    });

    // Image.open("rgba.png").resize((11, 9), BILINEAR).convert("LA")
    it('is kept beside luma', async () => {
      const result = await processed(rgba, { resize: to(11, 9), grayscale: true });
      const { data, channels } = await pixelsOf(result);
      expect(channels).toBe(2);
      expect(sha256(data.filter((_, at) => at % 4 === 0 || at % 4 === 3))).toBe(
        '360bf6af96d304b9a5f4c9c39aff1b9eb5bf2f0609c2a83da5591b90ba542423',
      );
    });

    // Image.open("rgba.png").convert("RGB").resize((11, 9), BILINEAR)
    it('is dropped in a tensor before the resize, as convert("RGB") drops it', async () => {
      const result = await processed(rgba, { resize: to(11, 9), output: asPixels });
      expect(result.tensors).toEqual([{ name: 'image', datatype: 'UINT8', shape: [1, 9, 11, 3] }]);
      expect(hash('sha256', result.content)).toBe(
        '075dda635d9df164de2dc5075bd66e24f28bb2fd97e57d34b85e2df671e3e756',
      );
      expect(result.decisions).toEqual(['alpha=dropped']);
    });

    it('is dropped in JPEG, which shows the hidden colour', async () => {
      const hidden = await sharp(Buffer.alloc(8 * 8 * 4, Buffer.of(200, 100, 50, 0)), {
        raw: { width: 8, height: 8, channels: 4 },
      })
        .png()
        .toBuffer();
      const result = await processed(hidden, { output: as('jpeg') });
      const { data, channels } = await pixelsOf(result);
      expect(channels).toBe(3);
      for (const [channel, value] of [200, 100, 50].entries()) {
        // JPEG's rounding.
        expect(Math.abs((data[channel] ?? 0) - value)).toBeLessThanOrEqual(2);
      }
      expect(result.decisions).toEqual(['alpha=dropped']);
    });

    // Image.alpha_composite(Image.new("RGBA", size, orange), image).convert("RGB").resize((11, 9), BILINEAR)
    it.each([asPixels, as('png')])('is laid on the background: $kind', async (output) => {
      const result = await processed(rgba, { resize: to(11, 9), background: orange, output });
      const data = output.kind === 'tensor' ? result.content : (await pixelsOf(result)).data;
      expect(sha256(data)).toBe('3b5ee890dd2890d28d2f8bbc983c860ed5523a4532639db6ef6e9847c3f52b58');
      expect(result.decisions).toEqual(['alpha=laid on the background']);
    });
  });

  describe('contain', () => {
    const red = solid(2, 1, [255, 0, 0]);

    it('has black bars', async () => {
      const result = await processed(await encoded(red, 'png'), { resize: to(2, 3, 'contain') });
      expect((await pixelsOf(result)).data).toEqual([
        0, 0, 0, 0, 0, 0, 255, 0, 0, 255, 0, 0, 0, 0, 0, 0, 0, 0,
      ]);
    });

    it('has bars of the background, in gray their luma', async () => {
      const picture = await encoded(red, 'png');
      const coloured = await processed(picture, { resize: to(2, 2, 'contain'), background: orange });
      expect((await pixelsOf(coloured)).data).toEqual([255, 0, 0, 255, 0, 0, 255, 128, 0, 255, 128, 0]);
      const gray = await processed(picture, {
        resize: to(2, 2, 'contain'),
        background: [0, 255, 0],
        grayscale: true,
      });
      expect((await pixelsOf(gray)).data).toEqual([76, 76, 150, 150]);
    });

    it('has transparent bars if alpha is kept', async () => {
      const half = await sharp(Uint8Array.of(10, 20, 30, 128), { raw: { width: 1, height: 1, channels: 4 } })
        .png()
        .toBuffer();
      const result = await processed(half, { resize: to(2, 1, 'contain') });
      expect((await pixelsOf(result)).data).toEqual([10, 20, 30, 128, 0, 0, 0, 0]);
    });

    it('has black bars beside gray, which stays gray', async () => {
      const gray = await grayPng(90);
      const result = await processed(gray, { resize: to(2, 1, 'contain') });
      expect(await pixelsOf(result)).toMatchObject({ channels: 1, data: [90, 0] });
    });

    it('has coloured bars beside gray, which becomes R = G = B', async () => {
      const gray = await grayPng(90);
      const result = await processed(gray, { resize: to(2, 1, 'contain'), background: orange });
      expect(await pixelsOf(result)).toMatchObject({ channels: 3, data: [90, 90, 90, 255, 128, 0] });
    });

    it('is resized by fast numerics to the area between the bars', async () => {
      const result = await processed(await encoded(gradient(400, 200), 'jpeg'), {
        resize: to(100, 100, 'contain'),
        numerics: 'fast',
      });
      const { data } = await pixelsOf(result);
      expect(result).toMatchObject({ width: 100, height: 100 });
      // JPEG smears a little of the picture into the bar's last block.
      expect(Math.max(...data.slice(0, 100 * 3 * 16))).toBeLessThanOrEqual(4);
    });
  });

  describe('tensor', () => {
    it('has three channels for a gray image, as convert("RGB") does', async () => {
      const gray = await grayPng(7, 8);
      const result = await processed(gray, { output: asPixels });
      expect([...result.content]).toEqual([7, 7, 7, 8, 8, 8]);
      expect(result.tensors[0]?.shape).toEqual([1, 1, 2, 3]);
      expect(result.contentType).toBe('application/octet-stream');
    });

    it('has one channel if gray was requested', async () => {
      const result = await processed(await encoded(redGreenBlue, 'png'), {
        output: asPixels,
        grayscale: true,
      });
      expect([...result.content]).toEqual([76, 150, 29]);
      expect(result.tensors[0]?.shape).toEqual([1, 1, 3, 1]);
    });

    it('is a stage of its own', async () => {
      const { stages } = await processed(sample, { resize: to(8, 8), output: asPixels });
      expect(stages.map(({ name }) => name)).toEqual(['decode', 'resize', 'tensor']);
      for (const { durationMs } of stages) expect(durationMs).toBeGreaterThanOrEqual(0);
    });
  });

  it('keeps the aspect ratio of the upright image (40 × 30 to 30 × 40) if only one side is given', async () => {
    const onItsSide = fixture('decode/orientation-6.jpg');
    for (const numerics of ['pillow', 'fast'] as const) {
      for (const [resize, size] of [
        [
          { fit: 'width', width: 20, filter: 'bilinear' },
          { width: 20, height: 27 },
        ],
        [
          { fit: 'height', height: 24, filter: 'bilinear' },
          { width: 18, height: 24 },
        ],
      ] as const) {
        expect(await processed(onItsSide, { resize, numerics })).toMatchObject(size);
      }
    }
    const tall = await encoded(solid(10, 1000, [1, 2, 3]), 'png');
    const plan = { resize: { fit: 'width', width: 101, filter: 'bilinear' } } as const;
    expect(await refusal(tall, plan, 1_000_000)).toMatchObject({
      reason: 'OUTPUT_PIXELS_OVER_LIMIT',
      metadata: { width: '101', height: '10100' },
    });
  });

  it('refuses an output over the limit that depends on the image’s shape', async () => {
    const tall = await encoded(solid(10, 1000, [1, 2, 3]), 'png');
    const plan = { resize: to(100, 100, 'outside') };
    expect(await refusal(tall, plan, 999_999)).toMatchObject({
      reason: 'OUTPUT_PIXELS_OVER_LIMIT',
      metadata: { limit: '999999', actual: '1000000', width: '100', height: '10000' },
    });
    expect(await process(tall, plan, 1_000_000)).toMatchObject({ result: { width: 100, height: 10_000 } });
  });

  describe('crop', () => {
    const clip: PlanOptions = {
      resize: { fit: 'shortestEdge', shortestEdge: 224, filter: 'bicubic' },
      crop: { width: 224, height: 224, origin: 'transformers' },
      output: asPixels,
    };

    /** Value n of it is (n² + 31·n) mod 251. */
    const thin = (width: number, height: number) => {
      const pixels = Uint8Array.from({ length: width * height * 3 }, (_, n) => (n * n + n * 31) % 251);
      return encoded({ pixels, width, height, channels: 3 }, 'png');
    };

    // SHA-256 of image.resize(size, BICUBIC).crop(box).tobytes() in Pillow 13.0.0, of 224 × 1,120,000 pixels and of
    // 1,120,000 × 224, and the boxes of CLIPImageProcessor.
    it.each([
      [1, 5000, '34388ac22a4355882b14ec917d161716779a80f0ea0ae34912f294df111bde3e'],
      [5000, 1, '87ad25305c5148af6c8000066e1f7d5acc698dcc221b035fc15616cdfe34b2c9'],
    ])(
      'makes of %i × %i pixels what a preset keeps, though all would be over the limit',
      async (...thinly) => {
        const [width, height, expected] = thinly;
        const result = await processed(await thin(width, height), clip);
        expect(result).toMatchObject({ width: 224, height: 224 });
        expect(hash('sha256', result.content)).toBe(expected);
      },
    );

    it.each([
      ['a source', 16_000_000, '3584000000', '16777216'],
      ['what it becomes', 74_899, '16777376', '16777216'],
    ])('refuses %s that is too long for it before decoding', async (_, height, actual, limit) => {
      const header = { ...(await readHeader(await thin(1, 2), 10)), height };
      expect(await processOnePlan(new Uint8Array(0), header, planFrom(clip), 1_000_000)).toMatchObject({
        failure: { reason: 'OUTPUT_PIXELS_OVER_LIMIT', metadata: { actual, limit } },
      });
    });

    it('is refused in fast numerics if the whole image would be over the limit', async () => {
      expect(await refusal(await thin(1, 5000), { ...clip, numerics: 'fast' })).toMatchObject({
        reason: 'OUTPUT_PIXELS_OVER_LIMIT',
        metadata: { limit: '1000000', actual: '250880000', width: '224', height: '1120000' },
      });
    });

    it('cannot be cut from an image that is resized to 0 pixels', async () => {
      const within: PlanOptions = {
        ...clip,
        resize: { fit: 'within', maxWidth: 100, maxHeight: 100, filter: 'bicubic' },
      };
      expect(await refusal(await thin(1, 5000), within)).toMatchObject({
        reason: 'PRESET_UNSUPPORTED',
        metadata: { width: '0', height: '100' },
      });
    });

    it('is cut from an image over the limit that keeps its size', async () => {
      const tall = await thin(20, 1000);
      for (const numerics of ['pillow', 'fast'] as const) {
        const plan = { crop: { width: 20, height: 30, origin: 'torchvision' }, numerics } as const;
        expect(await process(tall, plan, 600)).toMatchObject({ result: { width: 20, height: 30 } });
        expect(await refusal(tall, plan, 599)).toMatchObject({ metadata: { actual: '600' } });
      }
    });

    it.each<[what: string, source: string, plan: PlanOptions]>([
      ['a resized image', 'sample.jpg', { resize: to(300, 200) }],
      ['a resized image, gray', 'sample.jpg', { resize: to(300, 200), grayscale: true }],
      ['an image on its side', 'decode/orientation-6.jpg', { resize: to(150, 140, 'fill', 'lanczos') }],
      ['an image on its side that keeps its size', 'decode/orientation-6.jpg', {}],
      ['what pixels are picked of', 'decode/orientation-6.jpg', { resize: to(150, 140, 'fill', 'nearest') }],
      ['an image with alpha', 'decode/rgba.png', { resize: to(150, 90), output: as('png') }],
      ['a part of the source', 'sample.jpg', { resize: to(150, 200, 'cover') }],
      ['a letterbox', 'sample.jpg', { resize: to(150, 200, 'contain'), background: orange }],
      ['a resized JPEG, fast', 'sample.jpg', { resize: to(200, 150), numerics: 'fast' }],
      [
        'a resized JPEG on its side, fast',
        'decode/orientation-6.jpg',
        { resize: to(9, 12), numerics: 'fast' },
      ],
      ['a JPEG that keeps its size, fast', 'decode/orientation-6.jpg', { numerics: 'fast' }],
      ['a PNG, fast', 'decode/rgb.png', { resize: to(200, 150), numerics: 'fast' }],
    ])('equals the middle of the whole: %s', async (_, source, plan) => {
      const all = await processed(fixture(source), { output: asPixels, ...plan });
      // One side is larger than the crop, and one may be smaller.
      const crop = { width: Math.floor(all.width / 3), height: 101, origin: 'torchvision' } as const;
      const cropped = await processed(fixture(source), { output: asPixels, ...plan, crop });
      const pixelsIn = async (result: PixelResult): Promise<Pixels> => {
        const {
          width,
          height,
          tensors: [tensor],
        } = result;
        if (tensor === undefined) {
          const { data } = await pixelsOf(result);
          return { data: Uint8Array.from(data), width, height, channels: 4 };
        }
        return { data: result.content, width, height, channels: tensor.shape[3] as 1 | 3 };
      };
      const described = ({ data, ...size }: Pixels) => ({ ...size, sha256: sha256(data) });
      expect(described(await pixelsIn(cropped))).toEqual(described(middleOf(await pixelsIn(all), crop)));
    });
  });

  it('refuses an image over the limit that keeps its size', async () => {
    expect(await refusal(rgba, {}, 390)).toMatchObject({
      reason: 'OUTPUT_PIXELS_OVER_LIMIT',
      metadata: { actual: '391' },
    });
  });

  it.each([
    ['jpeg', 65_500],
    ['webp', 16_383],
  ] as const)('refuses a side of a %s above %d pixels', async (format, limit) => {
    const wide = await encoded(solid(limit + 1, 1, [1, 2, 3]), 'png');
    expect(await refusal(wide, { output: as(format) })).toMatchObject({
      reason: 'OUTPUT_PIXELS_OVER_LIMIT',
      metadata: { limit: String(limit), actual: String(limit + 1) },
    });
    expect(await processed(wide, { output: as('png') })).toMatchObject({ width: limit + 1 });
    expect(await processed(wide, { output: asPixels })).toMatchObject({ width: limit + 1 });
  });

  it('returns a failure for a damaged image, with the library’s text only in its cause', async () => {
    const failure = await refusal(sample.subarray(0, 5000), {});
    expect(failure).toMatchObject({ reason: 'IMAGE_CORRUPT', metadata: { format: 'jpeg' } });
    expect(failure.message).not.toMatch(/vips/i);
    expect(failure.cause).toMatch(/vips|premature/i);
  });

  it('converts a 2725 × 2225 photograph to a gray JPEG of 1024 × 768', async () => {
    const photograph = await encoded(photoLike(2725, 2225), 'jpeg', { quality: 80 });
    const result = await processed(photograph, { resize: to(1024, 768), grayscale: true });
    expect(result).toMatchObject({ contentType: 'image/jpeg', width: 1024, height: 768 });
    expect(await pixelsOf(result)).toMatchObject({ format: 'jpeg', channels: 1 });
  });
});
