import { create } from '@bufbuild/protobuf';
import {
  type CenterCrop,
  ChannelOrder,
  Datatype,
  Filter,
  Fit,
  ImageFormat,
  type ImageOutput,
  Layout,
  Numerics,
  type ProcessRequest,
  type Resize,
  TensorContainer,
  type TensorOutput,
  TensorOutputSchema,
} from '../../gen/image/v1/processor_pb.ts';
import { Failure } from '../failures.ts';
import { libvipsKernels } from './codecs/decode.ts';
import type { Colour, CropPlan, ImagePlan, Plan, ResizePlan, TensorPlan } from './image/plan.ts';
import { parsePreprocessorConfig } from './presets/parse-preprocessor-config.ts';
import type { PresetPlan, ResizeStep } from './presets/preset-plan.ts';
import type { Presets } from './presets/presets.ts';

/**
 * Checks what was asked for, fills in the defaults and says it in plain values: equal plans mean equal
 * pixels. Nothing here looks at the image.
 *
 * @param maxOutputPixels - limit of width × height of the answer
 * @throws OPTION_INVALID, OUTPUT_PIXELS_OVER_LIMIT, PRESET_UNKNOWN, PRESET_INVALID, PRESET_UNSUPPORTED
 */
export function planOf(request: ProcessRequest, maxOutputPixels: number, presets: Presets): Plan {
  const preset = presetOf(request, presets);
  const plan =
    preset === undefined
      ? planOfOptions(request, maxOutputPixels)
      : planOfPreset(request, preset, maxOutputPixels);
  const filter = plan.resize?.filter;
  if (plan.numerics === 'fast' && filter !== undefined && libvipsKernels[filter] === undefined) {
    const allowed = Object.keys(libvipsKernels).join(', ');
    throw invalid('filter', filter, `one of ${allowed} with fast numerics`);
  }
  return plan;
}

function planOfOptions(request: ProcessRequest, maxOutputPixels: number): Plan {
  return {
    resize: request.resize && resizePlan(request.resize, maxOutputPixels),
    crop: request.crop && cropPlan(request.crop, maxOutputPixels),
    grayscale: request.grayscale,
    numerics: named('numerics', request.numerics, numericsNames),
    background: backgroundColour(request.background),
    output:
      request.output.case === 'tensor'
        ? tensorPlan(request.output.value, request.grayscale ? 1 : 3)
        : imagePlan(request.output.value),
  };
}

function presetOf(request: ProcessRequest, presets: Presets): PresetPlan | undefined {
  const { preset, preprocessorConfig } = request;
  if (preset === '' && preprocessorConfig === '') return undefined;
  if (preset !== '' && preprocessorConfig !== '')
    throw invalid('preset', preset, 'none beside a preprocessor_config');
  const said = {
    resize: request.resize !== undefined,
    crop: request.crop !== undefined,
    grayscale: request.grayscale,
    background: request.background !== '',
  };
  for (const [option, isSaid] of Object.entries(said)) {
    if (isSaid) throw invalid(option, 'set', 'unset, because the preset says it');
  }
  return preset === '' ? parsePreprocessorConfig(preprocessorConfig) : presets.find(preset);
}

/** What the preset says, and what a request may say beside it. */
function planOfPreset(request: ProcessRequest, preset: PresetPlan, maxOutputPixels: number): Plan {
  const { resize, crop } = resizeAndCropOf(preset);
  for (const size of [resize, crop]) {
    if (size !== undefined && 'width' in size && 'height' in size)
      checkSize(size.width, size.height, maxOutputPixels);
  }
  return {
    resize,
    crop,
    grayscale: false,
    numerics: named('numerics', request.numerics, numericsNames),
    background: preset.alpha === 'onWhite' ? [255, 255, 255] : undefined,
    dropsAlpha: true,
    output: request.output.case === 'image' ? imagePlan(request.output.value) : presetTensor(request, preset),
  };
}

/** A preset's steps are a resize and then a crop, and either may be missing. */
function resizeAndCropOf({ steps }: PresetPlan): Pick<Plan, 'resize' | 'crop'> {
  const [resize] = steps.filter((step) => step.kind === 'resize');
  const [crop] = steps.filter((step) => step.kind === 'centerCrop');
  const inOrder = [resize, crop].filter((step) => step !== undefined);
  if (inOrder.length !== steps.length || inOrder.some((step, at) => step !== steps[at])) {
    throw new Failure(
      'PRESET_UNSUPPORTED',
      'Only one resize, and after it one center crop, is computed here.',
    );
  }
  return {
    resize: resize && resizeTo(resize),
    crop: crop && { width: crop.width, height: crop.height, origin: crop.origin },
  };
}

function resizeTo({ to, filter }: ResizeStep): ResizePlan {
  switch (to.kind) {
    case 'exact':
      return { fit: 'fill', width: to.width, height: to.height, filter };
    case 'shortestEdge':
      return { fit: 'shortestEdge', shortestEdge: to.shortestEdge, filter };
    case 'shortestAndLongestEdge':
      return { fit: 'shortestEdge', shortestEdge: to.shortestEdge, longestEdge: to.longestEdge, filter };
    case 'within':
      return { fit: 'within', maxWidth: to.maxWidth, maxHeight: to.maxHeight, filter };
  }
}

function presetTensor(request: ProcessRequest, preset: PresetPlan): TensorPlan {
  const output = request.output.case === 'tensor' ? request.output.value : create(TensorOutputSchema);
  const said = {
    rescale_factor: output.rescaleFactor !== undefined,
    mean: output.mean.length > 0,
    std: output.std.length > 0,
    channel_order: output.channelOrder !== ChannelOrder.UNSPECIFIED,
  };
  for (const [option, isSaid] of Object.entries(said)) {
    if (isSaid) throw invalid(option, 'set', 'unset, because the preset says it');
  }
  const { tensor } = preset;
  const datatype =
    output.datatype === Datatype.UNSPECIFIED
      ? tensor.datatype
      : named('datatype', output.datatype, datatypeNames);
  if (datatype === 'UINT8' && tensor.datatype !== 'UINT8') {
    throw invalid('datatype', datatype, 'FP16, FP32 or BF16, because the preset rescales or normalizes');
  }
  const layout =
    output.layout === Layout.UNSPECIFIED ? tensor.layout : named('layout', output.layout, layoutNames);
  return { ...tensor, kind: 'tensor', datatype, layout, container: containerOf(output, datatype) };
}

function resizePlan(resize: Resize, maxOutputPixels: number): ResizePlan {
  const { width, height, shortestEdge } = resize;
  const filter = named('filter', resize.filter, filterNames);
  const fit = named('fit', resize.fit, fitNames);
  if (shortestEdge === 0 && (width === 0) !== (height === 0)) {
    checkSide(width === 0 ? 'height' : 'width', width + height);
    return width === 0 ? { fit: 'height', height, filter } : { fit: 'width', width, filter };
  }
  if (shortestEdge === 0) {
    checkSize(width, height, maxOutputPixels);
    return { width, height, fit, filter };
  }
  if (width !== 0 || height !== 0) {
    throw invalid('shortest_edge', shortestEdge, 'unset beside width and height');
  }
  if (resize.fit !== Fit.UNSPECIFIED) throw invalid('fit', fit, 'unset beside shortest_edge');
  checkSide('shortest_edge', shortestEdge);
  return { fit: 'shortestEdge', shortestEdge, filter };
}

function cropPlan({ width, height }: CenterCrop, maxOutputPixels: number): CropPlan {
  checkSize(width, height, maxOutputPixels, 'crop.');
  return { width, height, origin: 'torchvision' };
}

function checkSize(width: number, height: number, maxOutputPixels: number, prefix = ''): void {
  checkSide(`${prefix}width`, width);
  checkSide(`${prefix}height`, height);
  if (width * height <= maxOutputPixels) return;
  throw new Failure(
    'OUTPUT_PIXELS_OVER_LIMIT',
    `${width} × ${height} = ${width * height} pixels were asked for; the limit is ${maxOutputPixels}.`,
    { limit: maxOutputPixels, actual: width * height, width, height },
  );
}

function checkSide(option: string, pixels: number): void {
  // What a JPEG can have: its sides are 16-bit numbers.
  const longestSide = 65_535;
  if (pixels < 1 || pixels > longestSide) throw invalid(option, pixels, `1 to ${longestSide} pixels`);
}

function imagePlan(output: ImageOutput | undefined): ImagePlan {
  const format = named('format', output?.format ?? ImageFormat.UNSPECIFIED, outputFormatNames);
  const quality = output?.quality ?? 0;
  if (quality > 100) throw invalid('quality', quality, '1 to 100');
  if (quality !== 0 && format === 'png') throw invalid('quality', quality, 'none: PNG is lossless');
  return {
    kind: 'image',
    format: format === 'source' ? undefined : format,
    quality: quality === 0 ? undefined : quality,
  };
}

/** @param channels - of the tensor: 1 for grayscale, else 3 */
function tensorPlan(output: TensorOutput, channels: number): TensorPlan {
  const datatype = named('datatype', output.datatype, datatypeNames);
  const container = containerOf(output, datatype);
  const { mean, std, rescaleFactor } = output;
  if (datatype === 'UINT8' && (mean.length > 0 || std.length > 0 || (rescaleFactor ?? 1) !== 1)) {
    throw invalid('datatype', datatype, 'FP16, FP32 or BF16 with rescale_factor, mean or std');
  }
  if (rescaleFactor !== undefined && !Number.isFinite(Math.fround(255 * rescaleFactor))) {
    throw invalid('rescale_factor', rescaleFactor, 'a number whose 255-fold is finite');
  }
  checkPerChannel('mean', mean, channels);
  checkPerChannel('std', std, channels);
  // Computed in FP32: what is 0 there divides by 0.
  if (std.some((value) => Math.fround(value) === 0))
    throw invalid('std', std.join(','), 'numbers other than 0');
  return {
    kind: 'tensor',
    datatype,
    layout: named('layout', output.layout, layoutNames),
    rescaleFactor: datatype === 'UINT8' ? 1 : (rescaleFactor ?? 1 / 255),
    mean: mean.length === 0 ? [0] : mean,
    std: std.length === 0 ? [1] : std,
    channelOrder: named('channel_order', output.channelOrder, channelOrderNames),
    container,
  };
}

/** What npy takes. */
export const datatypesInNpy = 'UINT8, FP16 or FP32 in npy: NumPy has no bfloat16; use raw or safetensors';

function containerOf(output: TensorOutput, datatype: TensorPlan['datatype']): TensorPlan['container'] {
  const container = named('container', output.container, containerNames);
  if (datatype !== 'BF16' || container !== 'npy') return container;
  throw invalid('datatype', datatype, datatypesInNpy);
}

function checkPerChannel(option: string, values: readonly number[], channels: number): void {
  if (values.length > 1 && values.length !== channels) {
    const one =
      channels === 1 ? 'one value: the tensor has 1 channel' : `1 or ${channels} values, one a channel`;
    throw invalid(option, `${values.length} values`, one);
  }
  const bad = values.find((value) => !Number.isFinite(Math.fround(value)));
  if (bad !== undefined) throw invalid(option, bad, 'finite numbers');
}

function backgroundColour(background: string): Colour | undefined {
  if (background === '') return undefined;
  const [, red, green, blue] = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(background) ?? [];
  if (red === undefined || green === undefined || blue === undefined) {
    throw invalid('background', shown(background), '#RRGGBB');
  }
  return [Number.parseInt(red, 16), Number.parseInt(green, 16), Number.parseInt(blue, 16)];
}

const fitNames = {
  [Fit.UNSPECIFIED]: 'fill',
  [Fit.FILL]: 'fill',
  [Fit.COVER]: 'cover',
  [Fit.CONTAIN]: 'contain',
  [Fit.INSIDE]: 'inside',
  [Fit.OUTSIDE]: 'outside',
} as const satisfies Record<Known<Fit>, string>;

const filterNames = {
  [Filter.UNSPECIFIED]: 'bilinear',
  [Filter.NEAREST]: 'nearest',
  [Filter.BOX]: 'box',
  [Filter.BILINEAR]: 'bilinear',
  [Filter.HAMMING]: 'hamming',
  [Filter.BICUBIC]: 'bicubic',
  [Filter.LANCZOS]: 'lanczos',
} as const satisfies Record<Known<Filter>, string>;

const numericsNames = {
  [Numerics.UNSPECIFIED]: 'exact',
  [Numerics.EXACT]: 'exact',
  [Numerics.FAST]: 'fast',
} as const satisfies Record<Known<Numerics>, string>;

/** Formats that can be written; the others are read only and so not in the table. */
const outputFormatNames = {
  [ImageFormat.UNSPECIFIED]: 'source',
  [ImageFormat.JPEG]: 'jpeg',
  [ImageFormat.PNG]: 'png',
  [ImageFormat.WEBP]: 'webp',
} as const;

const datatypeNames = {
  [Datatype.UNSPECIFIED]: 'FP32',
  [Datatype.UINT8]: 'UINT8',
  [Datatype.FP16]: 'FP16',
  [Datatype.FP32]: 'FP32',
  [Datatype.BF16]: 'BF16',
} as const satisfies Record<Known<Datatype>, string>;

const layoutNames = {
  [Layout.UNSPECIFIED]: 'NCHW',
  [Layout.NCHW]: 'NCHW',
  [Layout.NHWC]: 'NHWC',
} as const satisfies Record<Known<Layout>, string>;

const channelOrderNames = {
  [ChannelOrder.UNSPECIFIED]: 'RGB',
  [ChannelOrder.RGB]: 'RGB',
  [ChannelOrder.BGR]: 'BGR',
} as const satisfies Record<Known<ChannelOrder>, string>;

export const containerNames = {
  [TensorContainer.UNSPECIFIED]: 'raw',
  [TensorContainer.RAW]: 'raw',
  [TensorContainer.NPY]: 'npy',
  [TensorContainer.SAFETENSORS]: 'safetensors',
} as const satisfies Record<Known<TensorContainer>, string>;

/** An enum's own values: an open proto3 enum may carry others. */
type Known<Enum extends number> = number extends Enum ? never : Enum;

/** The name of an enum's value; a number that the enum doesn't have is refused. */
function named<Name extends string>(
  option: string,
  value: number,
  names: Readonly<Record<number, Name>>,
): Name {
  const name = names[value];
  if (name === undefined)
    throw invalid(option, value, `one of ${[...new Set(Object.values(names))].join(', ')}`);
  return name;
}

/** A caller's text, short enough to be repeated to it: a failure travels in HTTP/2 headers. */
function shown(text: string): string {
  return text.length <= 100 ? text : `${text.slice(0, 100)}…`;
}

function invalid(option: string, actual: string | number, allowed: string): Failure {
  return new Failure('OPTION_INVALID', `${option} is ${actual}; allowed: ${allowed}.`, {
    option,
    actual,
    allowed,
  });
}
