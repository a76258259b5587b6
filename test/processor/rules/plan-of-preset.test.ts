import type { MessageInitShape } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import {
  Alpha,
  ChannelOrder,
  Datatype,
  Filter,
  Fit,
  ImageFormat,
  Layout,
  Numerics,
  Orientation,
  Pixels,
  TensorContainer,
  type TensorOutput,
  type TensorOutputSchema,
} from '../../../gen/image/v1/processor_pb.ts';
import type { ResizeStep } from '../../../src/processor/image/resize.ts';
import { invalid, plan, type Request, refusal } from '../../support/plan-of-request.ts';

type Tensor = Exclude<MessageInitShape<typeof TensorOutputSchema>, TensorOutput>;

const clip = 'clip-vit-base-patch32';
const resnet = 'ResNet50_Weights.IMAGENET1K_V2';
const tensorOf = (value: Tensor, request: Request = { preset: clip }) =>
  plan({ ...request, output: { case: 'tensor', value } }).output;
const configured = (config: unknown) => ({ preprocessorConfig: JSON.stringify(config) });
const vit = { image_processor_type: 'ViTImageProcessor' };

describe('planOf with a preset', () => {
  it('describes CLIP’s preprocessing in plain values', () => {
    expect(plan({ preset: clip })).toEqual({
      source: { page: 1, dpi: 144, pageBox: 'crop', annotations: true, password: '' },
      numerics: 'torch',
      alpha: [255, 255, 255],
      steps: [
        { kind: 'resize', fit: 'shortestEdge', shortestEdge: 224, filter: 'bicubic', library: 'torch' },
        { kind: 'crop', width: 224, height: 224, origin: 'transformers-torchvision' },
      ],
      output: {
        kind: 'tensor',
        name: 'pixel_values',
        datatype: 'FP32',
        layout: 'NCHW',
        rescaleFactor: 0.00392156862745098,
        rounding: 'fused',
        mean: [0.48145466, 0.4578275, 0.40821073],
        std: [0.26862954, 0.26130258, 0.27577711],
        channelOrder: 'RGB',
        container: 'raw',
      },
    });
  });

  it('describes the preprocessing of torchvision’s weights, in any case and with _Weights or without', () => {
    const expected = {
      alpha: 'dropped',
      steps: [
        { kind: 'resize', fit: 'shortestEdge', shortestEdge: 232, filter: 'bilinear' },
        { kind: 'crop', width: 224, height: 224, origin: 'torchvision' },
      ],
      output: { kind: 'tensor', mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
    };
    expect(plan({ preset: 'ResNet50_Weights.IMAGENET1K_V2' })).toMatchObject(expected);
    expect(plan({ preset: 'resnet50.imagenet1k_v2' })).toMatchObject(expected);
  });

  it('returns the same plan for a preset and for its config', () => {
    const config = {
      image_processor_type: 'CLIPImageProcessor',
      size: { shortest_edge: 224 },
      crop_size: 224,
    };
    expect(plan(configured(config))).toEqual(plan({ preset: clip }));
  });

  it.each([
    [
      { height: 20, width: 30 },
      { fit: 'fill', width: 30, height: 20 },
    ],
    [{ shortest_edge: 20 }, { fit: 'shortestEdge', shortestEdge: 20 }],
    [
      { shortest_edge: 20, longest_edge: 30 },
      { fit: 'shortestEdge', shortestEdge: 20, longestEdge: 30 },
    ],
    [
      { max_height: 20, max_width: 30 },
      { fit: 'within', maxHeight: 20, maxWidth: 30 },
    ],
  ])('resizes to %j', (size, resize) => {
    expect(plan(configured({ ...vit, size })).steps).toEqual([
      { kind: 'resize', ...resize, filter: 'bilinear', library: 'torch' },
    ]);
  });

  it('neither resizes nor crops if the config states so', () => {
    expect(plan(configured({ ...vit, do_resize: false })).steps).toEqual([]);
  });

  it('accepts datatype, layout, container and numerics in addition', () => {
    const tensor: Tensor = {
      datatype: Datatype.BF16,
      layout: Layout.NHWC,
      container: TensorContainer.SAFETENSORS,
    };
    expect(tensorOf(tensor, { preset: clip, numerics: Numerics.PILLOW })).toMatchObject({
      name: 'pixel_values',
      datatype: 'BF16',
      layout: 'NHWC',
      container: 'safetensors',
      rescaleFactor: 0.00392156862745098,
      mean: [0.48145466, 0.4578275, 0.40821073],
    });
  });

  it.each([
    [clip, 'UNSPECIFIED', 'torch', 'torch'],
    [clip, 'EXACT', 'torch', 'torch'],
    [clip, 'TORCH', 'torch', 'torch'],
    [clip, 'PILLOW', 'pillow', undefined],
    // libvips resamples as Pillow does, but for the last bit.
    [clip, 'FAST', 'fast', undefined],
    [resnet, 'EXACT', 'pillow', undefined],
    [resnet, 'PILLOW', 'pillow', undefined],
    [resnet, 'FAST', 'fast', undefined],
  ] as const)('computes %s with the numerics %s by %s', (preset, named, numerics, library) => {
    const { steps, ...planned } = plan({ preset, numerics: Numerics[named] });
    expect(planned.numerics).toBe(numerics);
    expect(steps[0]).toHaveProperty('kind', 'resize');
    expect((steps[0] as ResizeStep).library).toBe(library);
  });

  it.each([
    [clip, 'OPENCV', 'opencv', 'torch, pillow'],
    [resnet, 'TORCH', 'torch', 'pillow'],
    [resnet, 'OPENCV', 'opencv', 'pillow'],
  ] as const)('refuses for %s the numerics %s', (preset, named, numerics, allowed) => {
    expect(refusal({ preset, numerics: Numerics[named] })).toEqual({
      reason: 'NUMERICS_UNSUPPORTED',
      metadata: { numerics, allowed },
    });
  });

  it.each(['box', 'hamming'])(
    'refuses the filter %s, which torch lacks, and accepts it by Pillow',
    (filter) => {
      const config = configured({ ...vit, resample: filter === 'box' ? 4 : 5 });
      expect(refusal(config)).toEqual({
        reason: 'NUMERICS_UNSUPPORTED',
        metadata: { numerics: 'torch', filter, allowed: 'pillow' },
      });
      expect(plan({ ...config, numerics: Numerics.PILLOW }).steps).toMatchObject([{ filter }]);
    },
  );

  it.each([
    ['CLIPImageProcessor', 'torch'],
    ['CLIPImageProcessorFast', 'torch'],
    ['CLIPImageProcessorPil', 'pillow'],
    ['CLIPFeatureExtractor', 'torch'],
  ])('computes %s by %s unless the request names another library', (type, library) => {
    const config = configured({ image_processor_type: type });
    expect(plan(config).numerics).toBe(library);
    expect(plan({ ...config, numerics: Numerics.PILLOW }).numerics).toBe('pillow');
    expect(plan({ ...config, numerics: Numerics.TORCH }).numerics).toBe('torch');
  });

  // AutoImageProcessor.from_pretrained takes both from its arguments only.
  it('ignores use_fast and backend in a config', () => {
    expect(plan(configured({ ...vit, use_fast: false })).numerics).toBe('torch');
    expect(plan(configured({ ...vit, backend: 'pil' })).numerics).toBe('torch');
  });

  it('keeps name, layout and order of channels of the pixels before they are rescaled', () => {
    expect(tensorOf({ pixels: Pixels.UINT8, layout: Layout.NHWC })).toMatchObject({
      name: 'pixel_values',
      datatype: 'UINT8',
      layout: 'NHWC',
      rescaleFactor: 1,
      mean: [0],
      std: [1],
    });
    const mobileVit = configured({ image_processor_type: 'MobileViTImageProcessor' });
    expect(tensorOf({ pixels: Pixels.UINT8 }, mobileVit)).toMatchObject({ channelOrder: 'BGR' });
    expect(tensorOf({ pixels: Pixels.UINT8, datatype: Datatype.UINT8 })).toEqual(
      tensorOf({ pixels: Pixels.UINT8 }),
    );
  });

  it.each([
    [clip, 'DEFAULT', [255, 255, 255]],
    [clip, 'DROP', 'dropped'],
    [clip, 'BLACK', [0, 0, 0]],
    [resnet, 'DEFAULT', 'dropped'],
    [resnet, 'WHITE', [255, 255, 255]],
  ] as const)('treats transparency for %s and %s as %j', (preset, alpha, expected) => {
    expect(plan({ preset, alpha: Alpha[alpha] }).alpha).toEqual(expected);
  });

  it('ignores the orientation only if the request says so', () => {
    expect(plan({ preset: clip, orientation: Orientation.IGNORE }).orientation).toBe('ignore');
    expect(plan({ preset: clip, orientation: Orientation.APPLY })).toEqual(plan({ preset: clip }));
  });

  it('returns an image of the pixels before they are rescaled', () => {
    const output: Request['output'] = { case: 'image', value: { format: ImageFormat.PNG } };
    expect(plan({ preset: clip, output })).toMatchObject({
      steps: [{ shortestEdge: 224 }, { kind: 'crop', width: 224, height: 224 }],
      output: { kind: 'image', format: 'png', quality: undefined },
    });
  });

  it.each([
    ['resize', { resize: { width: 5, height: 5 } }],
    ['resize', { resize: {} }],
    ['crop', { crop: { width: 5, height: 5 } }],
    ['grayscale', { grayscale: true }],
    ['background', { background: '#ffffff' }],
  ] as const)('refuses %s beside it', (option, request) => {
    const expected = invalid(option, 'set', 'unset, because the preset says it');
    expect(refusal({ preset: clip, ...request })).toEqual(expected);
    expect(refusal({ ...configured(vit), ...request })).toEqual(expected);
  });

  it.each([
    ['rescale_factor', { rescaleFactor: 1 }],
    ['rescale_factor', { rescaleFactor: 0 }],
    ['mean', { mean: [0.5] }],
    ['std', { std: [0.5] }],
    ['channel_order', { channelOrder: ChannelOrder.RGB }],
  ] satisfies [string, Tensor][])('refuses %s of a tensor in addition', (option, value: Tensor) => {
    expect(refusal({ preset: clip, output: { case: 'tensor', value } })).toEqual(
      invalid(option, 'set', 'unset, because the preset says it'),
    );
  });

  it('refuses UINT8 if values are rescaled, and accepts it otherwise', () => {
    const output: Request['output'] = { case: 'tensor', value: { datatype: Datatype.UINT8 } };
    expect(refusal({ preset: clip, output })).toEqual(
      invalid(
        'datatype',
        'UINT8',
        'FP16, FP32 or BF16, because the preset rescales or normalizes; pixels=uint8 gives the pixels before',
      ),
    );
    const plain = configured({ ...vit, do_rescale: false, do_normalize: false });
    expect(tensorOf({ datatype: Datatype.UINT8 }, plain)).toMatchObject({ datatype: 'UINT8' });
    expect(plan(plain).output).toMatchObject({ datatype: 'UINT8', rescaleFactor: 1 });
  });

  it.each(['NPY', 'NPZ'] as const)('refuses BF16 in %s', (container) => {
    const value: Tensor = { datatype: Datatype.BF16, container: TensorContainer[container] };
    expect(refusal({ preset: clip, output: { case: 'tensor', value } })).toMatchObject({
      reason: 'OPTION_INVALID',
      metadata: { option: 'datatype', actual: 'BF16' },
    });
  });

  it('refuses a preset beside a config', () => {
    expect(refusal({ preset: clip, ...configured(vit) })).toEqual(
      invalid('preset', clip, 'none beside a preprocessor_config'),
    );
  });

  it('names the presets nearest to an unknown one', () => {
    expect(refusal({ preset: 'clip-vit-base-patch23' })).toEqual({
      reason: 'PRESET_UNKNOWN',
      metadata: { preset: 'clip-vit-base-patch23', nearest: 'openai/clip-vit-base-patch32' },
    });
    expect(refusal({ preset: '€'.repeat(100_000) }).metadata.preset).toBe(`${'€'.repeat(100)}…`);
  });

  it.each([
    ['what is no JSON', '{', 'PRESET_INVALID', {}],
    ['what is no object', '[1]', 'PRESET_INVALID', {}],
    ['10 MB', ' '.repeat(10_000_000), 'PRESET_INVALID', { limit: '65536', actual: '10000000' }],
    ['a config without a type', '{}', 'PRESET_INVALID', { key: 'image_processor_type' }],
    [
      'a type that is not computed',
      '{"image_processor_type":"FooImageProcessor"}',
      'PRESET_UNSUPPORTED',
      { type: 'FooImageProcessor' },
    ],
  ])('refuses %s', (_what, preprocessorConfig, reason, metadata) => {
    expect(refusal({ preprocessorConfig })).toMatchObject({ reason, metadata });
  });

  it.each([[{ longest_edge: 5 }], [{ width: 5 }], [[1, 2, 3]], ['224'], [0], [1.5], [65_536], [null]])(
    'refuses a size of %j',
    (size) => {
      expect(refusal(configured({ ...vit, size })).reason).toBe('PRESET_INVALID');
    },
  );

  it('refuses a resize or crop over the limit of pixels', () => {
    const expected = { reason: 'OUTPUT_PIXELS_OVER_LIMIT', metadata: { limit: '99', actual: '100' } };
    expect(refusal(configured({ ...vit, size: 10 }), 99)).toMatchObject(expected);
    const cropped = { ...vit, do_resize: false, do_center_crop: true, crop_size: 10 };
    expect(refusal(configured(cropped), 99)).toMatchObject(expected);
    expect(plan(configured(cropped), 100).steps).toMatchObject([{ kind: 'crop', width: 10, height: 10 }]);
  });

  it('refuses a filter that fast numerics do not support', () => {
    const hamming = configured({ ...vit, resample: 5 });
    expect(refusal({ ...hamming, numerics: Numerics.FAST })).toMatchObject({
      reason: 'OPTION_INVALID',
      metadata: { option: 'filter', actual: 'hamming' },
    });
  });
});

describe('planOf with a crop and a shortest edge', () => {
  it('accepts torchvision’s crop', () => {
    expect(plan({ crop: { width: 4, height: 3 } })).toMatchObject({
      steps: [{ kind: 'crop', width: 4, height: 3, origin: 'torchvision' }],
    });
  });

  it('accepts a shortest edge', () => {
    const resize = { shortestEdge: 65_535, filter: Filter.LANCZOS };
    expect(plan({ resize }).steps).toEqual([
      { kind: 'resize', fit: 'shortestEdge', shortestEdge: 65_535, filter: 'lanczos' },
    ]);
  });

  it.each([
    ['crop.width', '0', { width: 0, height: 5 }],
    ['crop.height', '0', { width: 5, height: 0 }],
    ['crop.width', '65536', { width: 65_536, height: 1 }],
  ])('refuses %s of %s', (option, actual, crop) => {
    expect(refusal({ crop })).toEqual(invalid(option, actual, '1 to 65535 pixels'));
  });

  it('refuses a crop over the limit of pixels', () => {
    expect(refusal({ crop: { width: 10, height: 11 } }, 109)).toMatchObject({
      reason: 'OUTPUT_PIXELS_OVER_LIMIT',
      metadata: { limit: '109', actual: '110' },
    });
  });

  it.each([
    ['width', '0', '1 to 65535 pixels', { shortestEdge: 0 }],
    ['shortest_edge', '65536', '1 to 65535 pixels', { shortestEdge: 65_536 }],
    ['shortest_edge', '5', 'unset beside width and height', { shortestEdge: 5, width: 5 }],
    ['shortest_edge', '5', 'unset beside width and height', { shortestEdge: 5, height: 5 }],
    ['fit', 'fill', 'unset beside shortest_edge', { shortestEdge: 5, fit: Fit.FILL }],
  ])('refuses %s of %s: allowed is %s', (option, actual, allowed, resize) => {
    expect(refusal({ resize })).toEqual(invalid(option, actual, allowed));
  });
});
