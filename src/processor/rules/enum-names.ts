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
  PageBox,
  Pixels,
  TensorContainer,
} from '../../../gen/image/v1/processor_pb.ts';
import { imageOptions } from '../../options/image-options.ts';
import { invalidOption } from '../../options/invalid-option.ts';

/*
 * The names in a plan for the values of the contract's enums. UNSPECIFIED has the name of the default.
 */

/** The values that an enum defines; an open proto3 enum may carry others. */
type Known<Enum extends number> = number extends Enum ? never : Enum;

export const fitNames = {
  [Fit.UNSPECIFIED]: imageOptions.fit.default,
  [Fit.FILL]: 'fill',
  [Fit.COVER]: 'cover',
  [Fit.CONTAIN]: 'contain',
  [Fit.INSIDE]: 'inside',
  [Fit.OUTSIDE]: 'outside',
} as const satisfies Record<Known<Fit>, string>;

export const pageBoxNames = {
  [PageBox.UNSPECIFIED]: 'crop',
  [PageBox.CROP]: 'crop',
  [PageBox.MEDIA]: 'media',
} as const satisfies Record<Known<PageBox>, string>;

export const filterNames = {
  [Filter.UNSPECIFIED]: imageOptions.filter.default,
  [Filter.NEAREST]: 'nearest',
  [Filter.BOX]: 'box',
  [Filter.BILINEAR]: 'bilinear',
  [Filter.HAMMING]: 'hamming',
  [Filter.BICUBIC]: 'bicubic',
  [Filter.LANCZOS]: 'lanczos',
} as const satisfies Record<Known<Filter>, string>;

export const numericsNames = {
  [Numerics.UNSPECIFIED]: imageOptions.numerics.default,
  [Numerics.EXACT]: 'exact',
  [Numerics.PILLOW]: 'pillow',
  [Numerics.TORCH]: 'torch',
  [Numerics.OPENCV]: 'opencv',
  [Numerics.FAST]: 'fast',
} as const satisfies Record<Known<Numerics>, string>;

/** Only formats that can be written. */
export const outputFormatNames = {
  [ImageFormat.UNSPECIFIED]: imageOptions.format.default,
  [ImageFormat.JPEG]: 'jpeg',
  [ImageFormat.PNG]: 'png',
  [ImageFormat.WEBP]: 'webp',
} as const;

export const datatypeNames = {
  [Datatype.UNSPECIFIED]: 'FP32',
  [Datatype.UINT8]: 'UINT8',
  [Datatype.FP16]: 'FP16',
  [Datatype.FP32]: 'FP32',
  [Datatype.BF16]: 'BF16',
} as const satisfies Record<Known<Datatype>, string>;

export const layoutNames = {
  [Layout.UNSPECIFIED]: 'NCHW',
  [Layout.NCHW]: 'NCHW',
  [Layout.NHWC]: 'NHWC',
} as const satisfies Record<Known<Layout>, string>;

export const channelOrderNames = {
  [ChannelOrder.UNSPECIFIED]: 'RGB',
  [ChannelOrder.RGB]: 'RGB',
  [ChannelOrder.BGR]: 'BGR',
} as const satisfies Record<Known<ChannelOrder>, string>;

export const orientationNames = {
  [Orientation.UNSPECIFIED]: 'apply',
  [Orientation.APPLY]: 'apply',
  [Orientation.IGNORE]: 'ignore',
} as const satisfies Record<Known<Orientation>, string>;

export const alphaNames = {
  [Alpha.UNSPECIFIED]: 'default',
  [Alpha.DEFAULT]: 'default',
  [Alpha.DROP]: 'drop',
  [Alpha.WHITE]: 'white',
  [Alpha.BLACK]: 'black',
} as const satisfies Record<Known<Alpha>, string>;

export const pixelsNames = {
  [Pixels.UNSPECIFIED]: 'normalized',
  [Pixels.NORMALIZED]: 'normalized',
  [Pixels.UINT8]: 'uint8',
} as const satisfies Record<Known<Pixels>, string>;

export const containerNames = {
  [TensorContainer.UNSPECIFIED]: 'raw',
  [TensorContainer.RAW]: 'raw',
  [TensorContainer.NPY]: 'npy',
  [TensorContainer.SAFETENSORS]: 'safetensors',
  [TensorContainer.NPZ]: 'npz',
  [TensorContainer.VLLM]: 'vllm',
  [TensorContainer.OPEN_INFERENCE]: 'open_inference',
  [TensorContainer.AUTO]: 'auto',
} as const satisfies Record<Known<TensorContainer>, string>;

/**
 * The name of an enum's value.
 *
 * @throws OPTION_INVALID for a number that the enum does not define
 */
export function enumName<Name extends string>(
  option: string,
  value: number,
  names: Readonly<Record<number, Name>>,
): Name {
  const name = names[value];
  if (name === undefined) {
    throw invalidOption(option, value, `one of ${[...new Set(Object.values(names))].join(', ')}`);
  }
  return name;
}
