import {
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
} from '../../gen/image/v1/processor_pb.ts';
import { Failure } from '../failures.ts';
import { libvipsKernels } from './image/decode.ts';
import type { Colour, ImagePlan, Plan, ResizePlan, TensorPlan } from './image/plan.ts';

/**
 * Checks what was asked for, fills in the defaults and says it in plain values: equal plans mean equal
 * pixels. Nothing here looks at the image.
 *
 * @param maxOutputPixels - limit of width × height of the answer
 * @throws OPTION_INVALID, OUTPUT_PIXELS_OVER_LIMIT
 */
export function planOf(request: ProcessRequest, maxOutputPixels: number): Plan {
  const numerics = named('numerics', request.numerics, numericsNames);
  const plan: Plan = {
    resize: request.resize && resizePlan(request.resize, maxOutputPixels),
    grayscale: request.grayscale,
    numerics,
    background: backgroundColour(request.background),
    output:
      request.output.case === 'tensor'
        ? tensorPlan(request.output.value, request.grayscale ? 1 : 3)
        : imagePlan(request.output.value),
  };
  if (numerics === 'fast' && plan.resize !== undefined && libvipsKernels[plan.resize.filter] === undefined) {
    const allowed = Object.keys(libvipsKernels).join(', ');
    throw invalid('filter', plan.resize.filter, `one of ${allowed} with fast numerics`);
  }
  return plan;
}

function resizePlan(resize: Resize, maxOutputPixels: number): ResizePlan {
  const { width, height } = resize;
  // PNG and WebP end at 2³¹ − 1 and 16383; a JPEG's sides are 16-bit numbers.
  const longestSide = 65_535;
  if (width < 1 || width > longestSide) throw invalid('width', width, `1 to ${longestSide} pixels`);
  if (height < 1 || height > longestSide) throw invalid('height', height, `1 to ${longestSide} pixels`);
  if (width * height > maxOutputPixels) {
    throw new Failure(
      'OUTPUT_PIXELS_OVER_LIMIT',
      `${width} × ${height} = ${width * height} pixels were asked for; the limit is ${maxOutputPixels}.`,
      { limit: maxOutputPixels, actual: width * height, width, height },
    );
  }
  return {
    width,
    height,
    fit: named('fit', resize.fit, fitNames),
    filter: named('filter', resize.filter, filterNames),
  };
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
  const container = named('container', output.container, containerNames);
  if (datatype === 'BF16' && container === 'npy') {
    throw invalid(
      'datatype',
      datatype,
      'UINT8, FP16 or FP32 in npy: NumPy has no bfloat16; use raw or safetensors',
    );
  }
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

const containerNames = {
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
