import { ExtData, encode } from '@msgpack/msgpack';
import type { DatatypeName } from '../../datatypes.ts';
import { Failure } from '../../failures.ts';
import type { Encoded } from '../codecs/encode.ts';
import type { TensorPlan } from './plan.ts';
import type { Tensor } from './tensor-container.ts';

/** The part of a request to vLLM's `/inference/v1/generate` that describes images (entrypoints/scale_out/token_in_token_out/protocol.py). */
export interface VllmFeatures {
  /** A serialized MultiModalKwargsItem in base64 for each image. */
  readonly kwargs_data: { readonly image: readonly string[] };
  /** The key of each response. vLLM caches items by it. */
  readonly mm_hashes: { readonly image: readonly string[] };
  /** Placeholder tokens of each image. */
  readonly num_tokens: { readonly image: readonly number[] };
  /** Whether vLLM has to normalize. It does so itself only for UINT8. */
  readonly pixels: 'uint8' | 'normalized';
}

/**
 * The tensors of an image as an item of vLLM.
 *
 * @param tensors - the pixels first: [patches, values of a patch], then the grid: [1, 3] INT64
 * @param key - of the response
 */
export function vllmContent(tensors: readonly Tensor[], plan: TensorPlan, key: string): Encoded {
  const item = encode(itemOf(tensors));
  const base64 = Buffer.from(item.buffer, item.byteOffset, item.byteLength).toString('base64');
  return contentOf({
    kwargs_data: { image: [base64] },
    mm_hashes: { image: [key] },
    num_tokens: { image: [tokensOf(tensors, plan)] },
    pixels: plan.datatype === 'UINT8' ? 'uint8' : 'normalized',
  });
}

/** The features of several images in their order. Their `pixels` are equal. */
export function joinVllmContents(contents: readonly Uint8Array[]): Encoded {
  const all = contents.map((content) => JSON.parse(Buffer.from(content).toString()) as VllmFeatures);
  const pixels = all[0]?.pixels ?? 'normalized';
  if (all.some((each) => each.pixels !== pixels)) {
    const allowed = 'the same for all images of a batch';
    throw new Failure('OPTION_INVALID', `pixels of a batch; allowed: ${allowed}.`, {
      option: 'pixels',
      allowed,
    });
  }
  return contentOf({
    kwargs_data: { image: all.flatMap((each) => each.kwargs_data.image) },
    mm_hashes: { image: all.flatMap((each) => each.mm_hashes.image) },
    num_tokens: { image: all.flatMap((each) => each.num_tokens.image) },
    pixels,
  });
}

/** Upper bound of the content of one image in bytes: base64 of the values, and what is around them. */
export function vllmBytes(valueBytes: number): number {
  return Math.ceil((valueBytes + 1024) / 3) * 4 + 1024;
}

function contentOf(features: VllmFeatures): Encoded {
  return { content: Buffer.from(JSON.stringify(features)), contentType: 'application/json' };
}

/** MsgpackEncoder._encode_mm_item of vLLM 0.33 (v1/serial_utils.py), with all tensors inline. */
function itemOf(tensors: readonly Tensor[]): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    tensors.map((tensor, index) => [tensor.name, index === 0 ? flat(tensor) : batched(tensor)]),
  );
}

/** MultiModalFieldConfig.flat: the rows of all images follow each other. */
function flat(tensor: Tensor): unknown {
  const [rows = 0] = tensor.shape;
  return {
    data: dataOf(tensor, tensor.shape),
    field: ['flat', { keep_on_cpu: false, slices: [[0, rows, null]], dim: 0 }],
  };
}

/** MultiModalFieldConfig.batched: an image has one element of the first axis. */
function batched(tensor: Tensor): unknown {
  return { data: dataOf(tensor, tensor.shape.slice(1)), field: ['batched', { keep_on_cpu: true }] };
}

/** CUSTOM_TYPE_RAW_VIEW. */
const rawView = 3;

function dataOf({ datatype, values }: Tensor, shape: readonly number[]): unknown {
  return [torchDtypes[datatype], shape, new ExtData(rawView, values)];
}

/** The names of torch's dtypes. */
const torchDtypes: Readonly<Record<DatatypeName, string>> = {
  BOOL: 'bool',
  UINT8: 'uint8',
  INT8: 'int8',
  INT16: 'int16',
  UINT16: 'uint16',
  INT32: 'int32',
  INT64: 'int64',
  FP16: 'float16',
  BF16: 'bfloat16',
  FP32: 'float32',
  FP64: 'float64',
};

/** A group of patches that the model merges is one token. */
function tokensOf([pixels]: readonly Tensor[], { arrangement }: TensorPlan): number {
  const merge = arrangement?.kind === 'patches' ? arrangement.merge : 1;
  return (pixels?.shape[0] ?? 0) / merge ** 2;
}
