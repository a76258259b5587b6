import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { ImageHeader } from '../../../src/processor/codecs/header.ts';
import { geometryOf, stepsOf } from '../../../src/processor/image/geometry.ts';
import { type PlanOptions, planFrom, type ResizeOptions } from '../../support/plans.ts';

const header = (width: number, height: number, some: Partial<ImageHeader> = {}): ImageHeader => ({
  format: 'jpeg',
  width,
  height,
  orientation: 1,
  colour: 'rgb',
  bitDepth: 8,
  hasAlpha: false,
  hasIccProfile: false,
  frames: 1,
  isProgressive: false,
  samplesPerPixel: 3,
  ...some,
});

const geometry = (width: number, height: number, options: PlanOptions, some?: Partial<ImageHeader>) => {
  const all = geometryOf(header(width, height, some), planFrom(options));
  return { ...all, steps: stepsOf(all) };
};

const contain = (width: number, height: number): ResizeOptions => ({
  fit: 'contain',
  width,
  height,
  filter: 'bilinear',
});

type Size = readonly [width: number, height: number];

const { goldens } = JSON.parse(
  readFileSync(new URL('../../parity/geometry-goldens.json', import.meta.url), 'utf8'),
) as {
  goldens: {
    readonly source: Size;
    readonly target: Size;
    readonly contain: readonly [width: number, height: number, left: number, top: number];
  }[];
};

describe(geometryOf, () => {
  it('is the upright source for a plan without steps', () => {
    const size = { width: 480, height: 640 };
    expect(geometry(640, 480, {}, { orientation: 6 })).toMatchObject({
      source: size,
      picture: size,
      steps: [],
    });
  });

  it('follows the steps of a plan in their order', () => {
    const { steps, picture, outputs } = geometry(640, 480, {
      resize: { fit: 'shortestEdge', shortestEdge: 256, filter: 'bilinear' },
      crop: { width: 224, height: 224, origin: 'transformers' },
      grayscale: true,
    });
    expect(steps.map(({ step, output }) => [step.kind, output])).toEqual([
      ['resize', { width: 341, height: 256, colours: 3 }],
      ['crop', { width: 224, height: 224, colours: 3, left: -58, top: -16 }],
      ['grayscale', { width: 224, height: 224, colours: 1, left: -58, top: -16 }],
    ]);
    expect(picture).toMatchObject({ width: 224, height: 224, colours: 1 });
    expect(outputs).toEqual([{ kind: 'image', format: 'jpeg', width: 224, height: 224 }]);
  });

  describe('with a crop', () => {
    const crop = { width: 224, height: 224, origin: 'transformers' } as const;
    const resize = { fit: 'shortestEdge', shortestEdge: 256, filter: 'bilinear' } as const;

    it('computes only the part of the resized image that the crop keeps', () => {
      const [resized] = geometry(640, 480, { resize, crop }).steps;
      expect(resized).toMatchObject({
        output: { width: 341, height: 256 },
        cutout: { left: 58, top: 16, right: 282, bottom: 240 },
        computed: { width: 224, height: 224 },
      });
    });

    it('expects libvips to compute all of the resized image', () => {
      const [resized, cropped] = geometry(640, 480, { resize, crop, numerics: 'fast' }).steps;
      expect(resized?.computed).toEqual({ width: 341, height: 256 });
      expect(cropped?.available).toEqual({ width: 341, height: 256 });
    });

    it('pads a smaller image', () => {
      const [cropped] = geometry(225, 100, { crop }).steps;
      expect(cropped).toMatchObject({
        output: { width: 224, height: 224, left: 0, top: 62 },
        computed: { width: 224, height: 224 },
      });
    });

    it('computes only the part of the bars and of the image that the crop keeps', () => {
      const [resized, padded] = geometry(640, 480, {
        resize: contain(300, 400),
        crop: { ...crop, height: 300 },
      }).steps;
      expect(padded?.cutout).toEqual({ left: 38, top: 50, right: 262, bottom: 350 });
      // 300 × 225 pixels, whose first row is row 88 of the canvas.
      expect(resized?.cutout).toEqual({ left: 38, top: 0, right: 262, bottom: 225 });
    });
  });

  describe('with bars', () => {
    it(`puts ${goldens.length} images where Pillow puts them`, () => {
      for (const { source, target, contain: expected } of goldens) {
        const [resized, padded] = geometry(...source, { resize: contain(...target) }).steps;
        const { output } = resized ?? {};
        const { left, top } = padded?.output ?? {};
        expect({ source, target, contain: [output?.width, output?.height, left, top] }).toEqual({
          source,
          target,
          contain: expected,
        });
      }
    });

    it('converts a gray image to colour if the bars have one', () => {
      const background = [1, 2, 3] as const;
      const gray = { colour: 'gray' } as const;
      const coloursOf = (options: PlanOptions) => geometry(4, 2, options, gray).picture.colours;
      expect(coloursOf({ resize: contain(4, 4), background })).toBe(3);
      expect(coloursOf({ resize: contain(4, 4) })).toBe(1);
      expect(coloursOf({ resize: contain(8, 4), background })).toBe(1);
    });
  });

  it('describes a tensor by its shape and its bytes', () => {
    const output = {
      kind: 'tensor',
      name: 'image',
      datatype: 'FP16',
      layout: 'NCHW',
      rescaleFactor: 1,
      mean: [0],
      std: [1],
      channelOrder: 'RGB',
      container: 'npy',
    } as const;
    const { outputs, maxContentBytes } = geometry(5, 4, { output }, { colour: 'gray' });
    expect(outputs).toMatchObject([
      { kind: 'tensor', name: 'image', datatype: 'FP16', shape: [1, 3, 4, 5], bytes: 5 * 4 * 3 * 2 },
    ]);
    expect(maxContentBytes).toBe(5 * 4 * 3 * 2 + 4096);
    expect(geometry(5, 4, { output, grayscale: true }).outputs).toMatchObject([{ shape: [1, 1, 4, 5] }]);
  });

  it('keeps alpha in PNG and WebP only, and not over a background', () => {
    const alpha = { hasAlpha: true, format: 'png' } as const;
    const image = (format: 'png' | 'webp' | 'jpeg') =>
      ({ kind: 'image', format, quality: undefined }) as const;
    expect(geometry(5, 4, {}, alpha).keepsAlpha).toBe(true);
    expect(geometry(5, 4, { output: image('webp') }, alpha).keepsAlpha).toBe(true);
    expect(geometry(5, 4, { output: image('jpeg') }, alpha).keepsAlpha).toBe(false);
    expect(geometry(5, 4, { background: [1, 2, 3] }, alpha).keepsAlpha).toBe(false);
    expect(geometry(5, 4, { dropsAlpha: true }, alpha).keepsAlpha).toBe(false);
  });
});
