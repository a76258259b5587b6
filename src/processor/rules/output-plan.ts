import { create } from '@bufbuild/protobuf';
import {
  Datatype,
  ImageFormat,
  type ImageOutput,
  Layout,
  Pixels,
  type TensorOutput,
  TensorOutputSchema,
} from '../../../gen/image/v1/processor_pb.ts';
import { type DatatypeForms, datatypes, type PixelDatatype } from '../../datatypes.ts';
import { imageOptions, namedContainers, type tensorContainers } from '../../options/image-options.ts';
import { invalidOption } from '../../options/invalid-option.ts';
import { kindOfArrangement } from '../image/arrangements/arrangements.ts';
import type { ImagePlan, TensorPlan } from '../image/plan.ts';
import { namesOfTensors } from '../image/tensor.ts';
import type { VllmPlan } from '../image/vllm-plan.ts';
import type { PresetPlan } from '../presets/preset-plan.ts';
import {
  channelOrderNames,
  containerNames,
  datatypeNames,
  enumName,
  layoutNames,
  outputFormatNames,
  pixelsNames,
} from './enum-names.ts';

/** @throws OPTION_INVALID */
export function imagePlan(output: ImageOutput | undefined): ImagePlan {
  const format = enumName('format', output?.format ?? ImageFormat.UNSPECIFIED, outputFormatNames);
  const quality = output?.quality ?? 0;
  const { min, max } = imageOptions.quality.kind;
  if (quality > max) throw invalidOption('quality', quality, `${min} to ${max}`);
  return {
    kind: 'image',
    format: format === 'source' ? undefined : format,
    quality: quality === 0 ? undefined : quality,
  };
}

/**
 * The plan of a tensor without a preset.
 *
 * @param channels - of the tensor: 1 for grayscale, else 3
 * @throws OPTION_INVALID
 */
export function tensorPlan(output: TensorOutput, channels: number): TensorPlan {
  const isUint8 = enumName('pixels', output.pixels, pixelsNames) === 'uint8';
  const datatype = isUint8 ? 'UINT8' : enumName('datatype', output.datatype, datatypeNames);
  const { mean, std, rescaleFactor } = output;
  if (rescaleFactor !== undefined && !Number.isFinite(Math.fround(255 * rescaleFactor))) {
    throw invalidOption('rescale_factor', rescaleFactor, 'a number whose 255-fold is finite');
  }
  checkPerChannel('mean', mean, channels);
  checkPerChannel('std', std, channels);
  // The division is computed in FP32, so the divisor must not be 0 there.
  if (std.some((value) => Math.fround(value) === 0))
    throw invalidOption('std', std.join(','), 'numbers other than 0');
  return {
    kind: 'tensor',
    name: 'image',
    datatype,
    layout: enumName('layout', output.layout, layoutNames),
    rescaleFactor: datatype === 'UINT8' ? 1 : (rescaleFactor ?? imageOptions.rescale.default),
    mean: mean.length === 0 ? imageOptions.mean.default : mean,
    std: std.length === 0 ? imageOptions.std.default : std,
    channelOrder: enumName('channel_order', output.channelOrder, channelOrderNames),
    container: containerFor(withoutPreset(containerNameOf(output)), ['image'], datatype),
  };
}

/**
 * The plan of a preset's tensor: its values, and the datatype, layout and container that a request may choose.
 *
 * @param output - unset: the preset's datatype and layout, in the default container
 * @throws OPTION_INVALID
 */
export function presetTensorPlan(
  output: TensorOutput = create(TensorOutputSchema),
  tensor: PresetPlan['tensor'],
): TensorPlan {
  const container = containerNameOf(output);
  const vllm = container === 'vllm' ? vllmOf(tensor) : undefined;
  const isUint8 = pixelsOf(output, vllm) === 'uint8';
  if (isUint8) checkPixelsAreKept(tensor, vllm);
  const values = isUint8 ? pixelValues : { datatype: datatypeOf(output, tensor, vllm) };
  const layout =
    output.layout === Layout.UNSPECIFIED ? tensor.layout : enumName('layout', output.layout, layoutNames);
  const isOfPatches = tensor.arrangement?.kind === 'patches' || tensor.arrangement?.kind === 'patchRows';
  if (isOfPatches && layout !== tensor.layout) {
    throw invalidOption(
      'layout',
      layout,
      `${tensor.layout}, because the preset's tensor consists of patches`,
    );
  }
  return {
    ...tensor,
    kind: 'tensor',
    ...values,
    layout,
    vllm,
    tokens: vllm?.tokens ?? tensor.tokens,
    container: containerFor(container, namesOfTensors(tensor), values.datatype),
  };
}

/** @throws OPTION_INVALID if vLLM does not take the preset's tensors */
function vllmOf({ vllm }: PresetPlan['tensor']): VllmPlan {
  if (vllm === undefined) throw invalidOption('container', 'vllm', vllmPresets);
  if ('allowed' in vllm) throw invalidOption('container', 'vllm', vllm.allowed);
  return vllm;
}

/** Where vLLM normalizes UINT8 itself, that is the default for it. */
function pixelsOf(output: TensorOutput, vllm: VllmPlan | undefined): 'normalized' | 'uint8' {
  const isUnset = output.pixels === Pixels.UNSPECIFIED && output.datatype === Datatype.UNSPECIFIED;
  return isUnset && vllm?.normalizes ? 'uint8' : enumName('pixels', output.pixels, pixelsNames);
}

const vllmPresets =
  'vllm only with a preset of a class that docs/model-servers.md lists, such as Qwen2VLImageProcessor; safetensors and npz with any other';

/** @throws OPTION_INVALID if the tensor has no pixels, only values that are computed from others, or if vLLM needs those */
function checkPixelsAreKept({ arrangement }: PresetPlan['tensor'], vllm: VllmPlan | undefined): void {
  if (vllm !== undefined && !vllm.normalizes) {
    throw invalidOption(
      'pixels',
      'uint8',
      'normalized, because vLLM does not normalize the pixels of this model',
    );
  }
  if (arrangement === undefined || kindOfArrangement(arrangement).computesFloats !== true) return;
  throw invalidOption('pixels', 'uint8', 'normalized, because the preset resizes values, not pixels');
}

/** The pixels themselves. */
const pixelValues = {
  datatype: 'UINT8',
  rescaleFactor: 1,
  mean: [0],
  std: [1],
  rounding: undefined,
} as const satisfies Partial<TensorPlan>;

function datatypeOf(
  output: TensorOutput,
  tensor: PresetPlan['tensor'],
  vllm: VllmPlan | undefined,
): TensorPlan['datatype'] {
  if (output.datatype === Datatype.UNSPECIFIED) return defaultDatatype(tensor, vllm);
  const datatype = enumName('datatype', output.datatype, datatypeNames);
  if (datatype !== 'UINT8' || tensor.datatype === 'UINT8') return datatype;
  const allowed =
    'FP16, FP32 or BF16, because the preset rescales or normalizes; pixels=uint8 gives the pixels before';
  throw invalidOption('datatype', datatype, allowed);
}

/**
 * vLLM casts values to the model's datatype, mostly BF16, before it makes an item. Models that do not normalize expect it;
 * the others cast.
 */
function defaultDatatype({ datatype }: PresetPlan['tensor'], vllm: VllmPlan | undefined) {
  return vllm !== undefined && !vllm.normalizes && datatype === 'FP32' ? 'BF16' : datatype;
}

function withoutPreset(container: ContainerName): ContainerName {
  if (container !== 'vllm') return container;
  throw invalidOption('container', container, vllmPresets);
}

function containerNameOf({ container }: TensorOutput): ContainerName {
  return enumName('container', container, containerNames);
}

/** The name of a container in a request. */
export type ContainerName = (typeof tensorContainers)[number];

/**
 * The container of tensors.
 *
 * @param names - of the tensors
 * @param datatype - of their values; that of masks and sizes is known to NumPy
 * @throws OPTION_INVALID for several tensors in a container of one, and for a datatype that NumPy lacks in its own
 */
export function containerFor(
  container: ContainerName,
  names: readonly string[],
  datatype: PixelDatatype,
): TensorPlan['container'] {
  const { npy }: DatatypeForms = datatypes[datatype];
  const isOne = names.length === 1;
  if (container === 'auto') {
    if (npy === undefined) return 'safetensors';
    return isOne ? 'npy' : 'npz';
  }
  if (!isOne && (container === 'raw' || container === 'npy')) {
    throw invalidOption(
      'container',
      container,
      `${namedContainers.join(' or ')}, because the response has ${names.length} tensors: ${names.join(', ')}`,
    );
  }
  if (npy === undefined && (container === 'npy' || container === 'npz')) {
    throw invalidOption('container', container, `raw or safetensors, because NumPy has no ${datatype}`);
  }
  return container;
}

function checkPerChannel(option: string, values: readonly number[], channels: number): void {
  if (values.length > 1 && values.length !== channels) {
    const allowed =
      channels === 1 ? 'one value: the tensor has 1 channel' : `1 or ${channels} values, one a channel`;
    throw invalidOption(option, `${values.length} values`, allowed);
  }
  const infinite = values.find((value) => !Number.isFinite(Math.fround(value)));
  if (infinite !== undefined) throw invalidOption(option, infinite, 'finite numbers');
}
