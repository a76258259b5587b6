import type { MessageInitShape } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import {
  Alpha,
  ChannelOrder,
  Datatype,
  Filter,
  Fit,
  ImageFormat,
  type ImageOutput,
  type ImageOutputSchema,
  Layout,
  Numerics,
  Orientation,
  Pixels,
  TensorContainer,
  type TensorOutput,
  type TensorOutputSchema,
} from '../../../gen/image/v1/processor_pb.ts';
import type { ResizeStep } from '../../../src/processor/image/resize.ts';
import { containerFor } from '../../../src/processor/rules/output-plan.ts';
import { planOf } from '../../../src/processor/rules/rules.ts';
import { failureOf } from '../../support/failure.ts';
import { invalid, plan, type Request, refusal } from '../../support/plan-of-request.ts';

type Tensor = Exclude<MessageInitShape<typeof TensorOutputSchema>, TensorOutput>;
type Image = Exclude<MessageInitShape<typeof ImageOutputSchema>, ImageOutput>;

/** A number that no enum defines. An open proto3 enum may carry it. */
const unknown = 99 as never;

/** The only step of a plan with a resize. */
function resized(resize: NonNullable<Request['resize']>): ResizeStep | undefined {
  const [step, ...others] = plan({ resize }).steps;
  expect(others).toEqual([]);
  return step?.kind === 'resize' ? step : undefined;
}

const imageOf = (value: Image) => plan({ output: { case: 'image', value } }).output;

const tensorRequest = (value: Tensor, request: Request = {}): Request => ({
  ...request,
  output: { case: 'tensor', value },
});

const tensorOf = (value: Tensor, request: Request = {}) => plan(tensorRequest(value, request)).output;

describe(planOf, () => {
  it('keeps the size and the format of the source without options', () => {
    expect(plan({})).toEqual({
      source: { page: 1, dpi: 144, pageBox: 'crop', annotations: true, password: '' },
      numerics: 'pillow',
      alpha: 'kept',
      steps: [],
      output: { kind: 'image', format: undefined, quality: undefined },
    });
  });

  it('fills in fill and bilinear for a resize', () => {
    expect(resized({ width: 4, height: 3 })).toEqual({
      kind: 'resize',
      width: 4,
      height: 3,
      fit: 'fill',
      filter: 'bilinear',
    });
  });

  it('fills in FP32, NCHW, 1/255, no mean, no std, RGB and raw for a tensor', () => {
    expect(tensorOf({})).toEqual({
      kind: 'tensor',
      name: 'image',
      datatype: 'FP32',
      layout: 'NCHW',
      rescaleFactor: 1 / 255,
      mean: [0],
      std: [1],
      channelOrder: 'RGB',
      container: 'raw',
    });
  });

  it('keeps the values of a UINT8 tensor', () => {
    expect(tensorOf({ datatype: Datatype.UINT8 })).toMatchObject({ rescaleFactor: 1, mean: [0], std: [1] });
    expect(tensorOf({ datatype: Datatype.UINT8, rescaleFactor: 1 })).toMatchObject({ rescaleFactor: 1 });
  });

  it.each([
    [Fit.FILL, 'fill'],
    [Fit.COVER, 'cover'],
    [Fit.INSIDE, 'inside'],
    [Fit.OUTSIDE, 'outside'],
  ])('maps fit %s to %s', (fit, name) => {
    expect(resized({ width: 4, height: 3, fit })?.fit).toBe(name);
  });

  it('maps fit contain to a resize and bars in the colour of the background', () => {
    const resize = { width: 4, height: 3, fit: Fit.CONTAIN };
    const inside = { kind: 'resize', fit: 'inside', width: 4, height: 3, filter: 'bilinear' };
    expect(plan({ resize }).steps).toEqual([inside, { kind: 'pad', width: 4, height: 3, colour: undefined }]);
    expect(plan({ resize, background: '#010203' })).toMatchObject({
      alpha: [1, 2, 3],
      steps: [inside, { kind: 'pad', width: 4, height: 3, colour: [1, 2, 3] }],
    });
  });

  it('runs a resize, a crop and a grayscale in this order', () => {
    const { steps } = plan({
      grayscale: true,
      crop: { width: 1, height: 1 },
      resize: { width: 2, height: 2 },
    });
    expect(steps.map(({ kind }) => kind)).toEqual(['resize', 'crop', 'grayscale']);
  });

  it.each([
    [Filter.NEAREST, 'nearest'],
    [Filter.BOX, 'box'],
    [Filter.BILINEAR, 'bilinear'],
    [Filter.HAMMING, 'hamming'],
    [Filter.BICUBIC, 'bicubic'],
    [Filter.LANCZOS, 'lanczos'],
  ])('maps filter %s to %s', (filter, name) => {
    expect(resized({ width: 4, height: 3, filter })?.filter).toBe(name);
  });

  it('accepts a quality for JPEG and WebP, and PNG without one', () => {
    expect(imageOf({ format: ImageFormat.JPEG, quality: 1 })).toMatchObject({ format: 'jpeg', quality: 1 });
    expect(imageOf({ format: ImageFormat.WEBP, quality: 100 })).toMatchObject({
      format: 'webp',
      quality: 100,
    });
    expect(imageOf({ format: ImageFormat.PNG })).toMatchObject({ format: 'png', quality: undefined });
  });

  it('accepts a quality for the format of the source, whichever it is', () => {
    expect(imageOf({ quality: 75 })).toMatchObject({ format: undefined, quality: 75 });
  });

  it('accepts every option of a tensor', () => {
    const tensor = tensorOf({
      datatype: Datatype.BF16,
      layout: Layout.NHWC,
      rescaleFactor: 0.5,
      mean: [0.25],
      std: [1, 2, 4],
      channelOrder: ChannelOrder.BGR,
      container: TensorContainer.SAFETENSORS,
    });
    expect(tensor).toEqual({
      kind: 'tensor',
      name: 'image',
      datatype: 'BF16',
      layout: 'NHWC',
      rescaleFactor: 0.5,
      mean: [0.25],
      std: [1, 2, 4],
      channelOrder: 'BGR',
      container: 'safetensors',
    });
    expect(tensorOf({ datatype: Datatype.FP16, container: TensorContainer.NPY })).toMatchObject({
      datatype: 'FP16',
      container: 'npy',
    });
  });

  it('reads a background in upper or lower case as red, green and blue', () => {
    expect(plan({ background: '#ff8000' }).alpha).toEqual([255, 128, 0]);
    expect(plan({ background: '#FF8000' }).alpha).toEqual([255, 128, 0]);
  });

  it.each(['ff8000', '#ff80', '#ff800g', '#ff800000', 'red', ' #ff8000'])(
    'refuses the background %j',
    (background) => {
      expect(refusal({ background })).toEqual(invalid('background', background, '#RRGGBB'));
    },
  );

  it('repeats only the beginning of a long text', () => {
    const { metadata } = refusal({ background: 'ä'.repeat(1_000_000) });
    expect(metadata.actual?.length).toBe(101);
    expect(metadata.actual).toMatch(/^ä+…$/);
  });

  it('accepts only one side, and derives the other one from the image, whatever the fit', () => {
    for (const fit of [Fit.UNSPECIFIED, Fit.COVER, Fit.CONTAIN]) {
      expect(resized({ width: 4, fit })).toEqual({
        kind: 'resize',
        fit: 'width',
        width: 4,
        filter: 'bilinear',
      });
      expect(resized({ height: 3, fit })).toEqual({
        kind: 'resize',
        fit: 'height',
        height: 3,
        filter: 'bilinear',
      });
    }
    const tooLong = invalid('height', '65536', '1 to 65535 pixels');
    expect(refusal({ resize: { height: 65_536 } })).toEqual(tooLong);
    expect(refusal({ resize: {} })).toEqual(invalid('width', '0', '1 to 65535 pixels'));
  });

  it.each([65_536, 1_000_000_000])('refuses a width of %d', (width) => {
    expect(refusal({ resize: { width, height: 3 } })).toEqual(
      invalid('width', String(width), '1 to 65535 pixels'),
    );
  });

  it.each([65_536, 4_294_967_295])('refuses a height of %d', (height) => {
    expect(refusal({ resize: { width: 3, height } })).toEqual(
      invalid('height', String(height), '1 to 65535 pixels'),
    );
  });

  it('accepts as many pixels as the limit and refuses one more row', () => {
    expect(plan({ resize: { width: 50, height: 20 } }, 1000).steps).toMatchObject([
      { width: 50, height: 20 },
    ]);
    expect(refusal({ resize: { width: 50, height: 21 } }, 1000)).toEqual({
      reason: 'OUTPUT_PIXELS_OVER_LIMIT',
      metadata: { limit: '1000', actual: '1050', width: '50', height: '21' },
    });
  });

  it.each([ImageFormat.AVIF, ImageFormat.GIF, ImageFormat.TIFF])(
    'refuses to write format %d, which is read only',
    (format) => {
      expect(refusal({ output: { case: 'image', value: { format } } })).toEqual(
        invalid('format', String(format), 'one of source, jpeg, png, webp'),
      );
    },
  );

  it('refuses a quality above 100, and any for PNG', () => {
    const quality = (value: Image) => refusal({ output: { case: 'image', value } });
    expect(quality({ quality: 101 })).toEqual(invalid('quality', '101', '1 to 100'));
    expect(quality({ format: ImageFormat.PNG, quality: 90 })).toEqual(
      invalid('quality', '90', 'none: PNG is lossless'),
    );
  });

  it.each<[option: string, request: Request, allowed: string]>([
    [
      'fit',
      { resize: { width: 1, height: 1, fit: unknown } },
      'one of fill, cover, contain, inside, outside',
    ],
    [
      'filter',
      { resize: { width: 1, height: 1, filter: unknown } },
      'one of bilinear, nearest, box, hamming, bicubic, lanczos',
    ],
    ['numerics', { numerics: unknown }, 'one of exact, fast, pillow, torch, opencv'],
    ['format', { output: { case: 'image', value: { format: unknown } } }, 'one of source, jpeg, png, webp'],
    ['datatype', tensorRequest({ datatype: unknown }), 'one of FP32, UINT8, FP16, BF16'],
    ['layout', tensorRequest({ layout: unknown }), 'one of NCHW, NHWC'],
    ['channel_order', tensorRequest({ channelOrder: unknown }), 'one of RGB, BGR'],
    [
      'container',
      tensorRequest({ container: unknown }),
      'one of raw, npy, safetensors, npz, vllm, open_inference, auto',
    ],
  ])('refuses a number that %s does not define', (option, request, allowed) => {
    expect(refusal(request)).toEqual(invalid(option, '99', allowed));
  });

  it.each([Filter.BOX, Filter.HAMMING])(
    'refuses filter %d with fast numerics: libvips has none such',
    (filter) => {
      const request = { resize: { width: 1, height: 1, filter }, numerics: Numerics.FAST };
      expect(refusal(request)).toMatchObject({
        reason: 'OPTION_INVALID',
        metadata: {
          option: 'filter',
          allowed: 'one of nearest, bilinear, bicubic, lanczos with fast numerics',
        },
      });
    },
  );

  it.each([Filter.UNSPECIFIED, Filter.NEAREST, Filter.BILINEAR, Filter.BICUBIC, Filter.LANCZOS])(
    'takes filter %d with fast numerics',
    (filter) => {
      expect(plan({ resize: { width: 1, height: 1, filter }, numerics: Numerics.FAST }).numerics).toBe(
        'fast',
      );
    },
  );

  it.each([
    [Numerics.UNSPECIFIED, 'pillow'],
    [Numerics.EXACT, 'pillow'],
    [Numerics.PILLOW, 'pillow'],
    [Numerics.TORCH, 'torch'],
    [Numerics.OPENCV, 'opencv'],
    [Numerics.FAST, 'fast'],
  ] as const)('names the library whose pixels numerics %d means: %s', (numerics, library) => {
    expect(plan({ numerics }).numerics).toBe(library);
  });

  it.each([
    [Numerics.TORCH, Filter.BOX, 'one of nearest, bilinear, bicubic, lanczos with torch numerics'],
    [Numerics.OPENCV, Filter.LANCZOS, 'one of nearest, box, bilinear, bicubic with opencv numerics'],
  ])('refuses a filter that the library of numerics %d lacks', (numerics, filter, allowed) => {
    expect(refusal({ resize: { width: 1, height: 1, filter }, numerics })).toMatchObject({
      reason: 'OPTION_INVALID',
      metadata: { option: 'filter', allowed },
    });
  });

  it('drops transparency, or draws the image over white or black, on request', () => {
    const alphaOf = (alpha: Alpha) => plan({ alpha }).alpha;
    expect([Alpha.DEFAULT, Alpha.DROP, Alpha.WHITE, Alpha.BLACK].map(alphaOf)).toEqual([
      'kept',
      'dropped',
      [255, 255, 255],
      [0, 0, 0],
    ]);
    expect(refusal({ alpha: Alpha.DROP, background: '#ff0000' })).toMatchObject({
      reason: 'OPTION_INVALID',
      metadata: { option: 'alpha', actual: 'drop' },
    });
    expect(refusal({ alpha: 9 as Alpha }).metadata).toMatchObject({ option: 'alpha', actual: '9' });
  });

  it('ignores the orientation on request', () => {
    expect(plan({ orientation: Orientation.IGNORE }).orientation).toBe('ignore');
    expect(plan({}).orientation).toBeUndefined();
    expect(refusal({ orientation: 9 as Orientation }).metadata).toMatchObject({ option: 'orientation' });
  });

  it('has the same tensor for pixels of UINT8 and for the datatype', () => {
    const tensorOf = (value: object) => plan(tensorRequest(value)).output;
    expect(tensorOf({ pixels: Pixels.UINT8 })).toEqual(tensorOf({ datatype: Datatype.UINT8 }));
  });

  it.each(['NPY', 'NPZ'] as const)('refuses BF16 in %s, because NumPy has no such type', (name) => {
    const container = TensorContainer[name];
    expect(refusal(tensorRequest({ datatype: Datatype.BF16, container }))).toMatchObject({
      reason: 'OPTION_INVALID',
      metadata: { option: 'datatype', actual: 'BF16' },
    });
  });

  it('refuses several tensors in a container of one, and names the containers of several', () => {
    const names = ['pixel_values', 'pixel_mask'];
    for (const container of ['safetensors', 'npz'] as const) {
      expect(containerFor(container, names, 'FP32')).toBe(container);
    }
    for (const container of ['raw', 'npy'] as const) {
      expect(failureOf(() => containerFor(container, names, 'FP32'))).toMatchObject({
        reason: 'OPTION_INVALID',
        metadata: {
          option: 'container',
          allowed: 'safetensors or npz, because the response has 2 tensors: pixel_values, pixel_mask',
        },
      });
    }
  });

  it('chooses a container for the number and the datatype of the tensors', () => {
    expect(containerFor('auto', ['image'], 'FP16')).toBe('npy');
    expect(containerFor('auto', ['pixel_values', 'pixel_mask'], 'FP32')).toBe('npz');
    expect(containerFor('auto', ['pixel_values'], 'BF16')).toBe('safetensors');
  });

  it("refuses NumPy's containers for a datatype that NumPy lacks", () => {
    for (const container of ['npy', 'npz'] as const) {
      expect(failureOf(() => containerFor(container, ['pixel_values'], 'BF16'))).toMatchObject({
        reason: 'OPTION_INVALID',
        metadata: { option: 'container', allowed: 'raw or safetensors, because NumPy has no BF16' },
      });
    }
  });

  it.each([{ mean: [0.5] }, { std: [2] }, { rescaleFactor: 1 / 255 }])(
    'refuses arithmetic on a UINT8 tensor: %j',
    (value) => {
      expect(refusal(tensorRequest({ datatype: Datatype.UINT8, ...value }))).toEqual(
        invalid('datatype', 'UINT8', 'FP16, FP32 or BF16 with rescale_factor, mean or std'),
      );
    },
  );

  it('accepts one value for all channels or one per channel, and no other count', () => {
    expect(tensorOf({ mean: [0.5], std: [0.1, 0.2, 0.3] })).toMatchObject({
      mean: [0.5],
      std: [0.1, 0.2, 0.3],
    });
    expect(refusal(tensorRequest({ mean: [0.5, 0.5] }))).toEqual(
      invalid('mean', '2 values', '1 or 3 values, one a channel'),
    );
    expect(refusal(tensorRequest({ std: [1, 1, 1, 1] }))).toEqual(
      invalid('std', '4 values', '1 or 3 values, one a channel'),
    );
  });

  it('accepts one value for a gray tensor', () => {
    expect(tensorOf({ mean: [0.5] }, { grayscale: true })).toMatchObject({ mean: [0.5] });
    expect(refusal(tensorRequest({ mean: [0.5, 0.5, 0.5] }, { grayscale: true }))).toEqual(
      invalid('mean', '3 values', 'one value: the tensor has 1 channel'),
    );
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, -1e39])(
    'refuses %d, which is no finite number in FP32',
    (value) => {
      expect(refusal(tensorRequest({ mean: [value] }))).toEqual(
        invalid('mean', String(value), 'finite numbers'),
      );
      expect(refusal(tensorRequest({ std: [value] }))).toEqual(
        invalid('std', String(value), 'finite numbers'),
      );
      expect(refusal(tensorRequest({ rescaleFactor: value }))).toEqual(
        invalid('rescale_factor', String(value), 'a number whose 255-fold is finite'),
      );
    },
  );

  it.each([0, -0, 1e-46])('refuses to divide by %d, which is 0 in FP32', (value) => {
    expect(refusal(tensorRequest({ std: [1, value, 1] }))).toMatchObject({
      reason: 'OPTION_INVALID',
      metadata: { option: 'std', allowed: 'numbers other than 0' },
    });
  });

  it('states option, value and allowed values in one sentence', () => {
    expect(() => plan({ numerics: unknown })).toThrow(
      'numerics is 99; allowed: one of exact, fast, pillow, torch, opencv.',
    );
  });
});
