import { ExtData, encode } from '@msgpack/msgpack';
import type { DatatypeName } from '../../datatypes.ts';
import { Failure } from '../../failures.ts';
import type { Encoded } from '../codecs/encode.ts';
import type { PictureSizes } from './extras/extra.ts';
import type { TensorPlan } from './plan.ts';
import type { Tensor } from './tensor-container.ts';
import { tokensOf } from './tokens.ts';
import type { VllmField } from './vllm-plan.ts';

/** The part of a request to vLLM's `/inference/v1/generate` that describes images (entrypoints/scale_out/token_in_token_out/protocol.py). */
export interface VllmFeatures {
  /** A serialized MultiModalKwargsItem in base64 for each image. */
  readonly kwargs_data: { readonly image: readonly string[] };
  /** The key of each response. vLLM caches items by it. */
  readonly mm_hashes: { readonly image: readonly string[] };
  /** Embeddings of each image: the placeholder tokens that stand for them. `null`: the config does not tell. */
  readonly num_tokens: { readonly image: readonly (number | null)[] };
  /** Whether vLLM has to normalize. It does so itself only for UINT8. */
  readonly pixels: 'uint8' | 'normalized';
}

/**
 * The tensors of an image as an item of vLLM.
 *
 * @param tensors - of the plan, in its order
 * @param key - of the response
 */
export function vllmContent(
  tensors: readonly Tensor[],
  sizes: PictureSizes,
  { vllm, tokens, datatype }: TensorPlan,
  key: string,
): Encoded {
  const fields = vllm?.fields ?? [];
  const entries = fields.map((field) => [field.name, fieldOf(field, tensors, sizes)]);
  const item = encode(Object.fromEntries(entries));
  const base64 = Buffer.from(item.buffer, item.byteOffset, item.byteLength).toString('base64');
  return contentOf({
    kwargs_data: { image: [base64] },
    mm_hashes: { image: [key] },
    num_tokens: { image: [tokens === undefined ? null : tokensOf(tokens, sizes).count] },
    pixels: datatype === 'UINT8' ? 'uint8' : 'normalized',
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

/** MsgpackEncoder._encode_mm_field_elem of vLLM 0.33 (v1/serial_utils.py), with all tensors inline. */
function fieldOf(field: VllmField, tensors: readonly Tensor[], { pictures }: PictureSizes): unknown {
  switch (field.kind) {
    case 'flat': {
      const { tensor, isNested } = field;
      const element = elementOf(tensor ?? field.name, tensors, isNested ? 1 : 0);
      const slices = [[[0, element.shape[0], null]]];
      return { data: dataOf(element), field: ['flat', { keep_on_cpu: !!field.onCpu, slices, dim: 0 }] };
    }
    case 'batched': {
      const element = elementOf(field.tensor ?? field.name, tensors, 1);
      return { data: dataOf(element), field: ['batched', { keep_on_cpu: !!field.onCpu }] };
    }
    case 'count':
      return { data: dataOf(numberOf(pictures.length)), field: ['batched', { keep_on_cpu: true }] };
    case 'shared':
      return { data: dataOf(numberOf(field.value)), field: ['shared', { keep_on_cpu: true, batch_size: 1 }] };
  }
}

type Values = Omit<Tensor, 'name'>;

/** A tensor without its first axes, which have the length 1. */
function elementOf(name: string, tensors: readonly Tensor[], axes: number): Values {
  const tensor = tensors.find((each) => each.name === name) as Tensor;
  return { ...tensor, shape: tensor.shape.slice(axes) };
}

/** torch.tensor(value) */
function numberOf(value: number): Values {
  const values = Buffer.alloc(8);
  values.writeBigInt64LE(BigInt(value));
  return { datatype: 'INT64', shape: [], values };
}

/** CUSTOM_TYPE_RAW_VIEW. */
const rawView = 3;

function dataOf({ datatype, shape, values }: Values): unknown {
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
