import { datatypes } from '../../datatypes.ts';
import type { Encoded } from '../codecs/encode.ts';
import type { BatchRule } from './arrangements/arrangement.ts';
import { type Arrangement, kindOfArrangement } from './arrangements/arrangements.ts';
import type { PictureSizes } from './extras/extra.ts';
import { type ExtraTensor, kindOfExtra } from './extras/extras.ts';
import type { Pixels } from './pixels.ts';
import type { TensorPlan } from './plan.ts';
import type { Size } from './shortest-edge.ts';
import { openContainer, type TensorDescription } from './tensor-container.ts';
import { channelTables, inDatatype, valuesOver } from './value-table.ts';
import { vllmContent } from './vllm-item.ts';

/** Tensors in their container, and their descriptions in the same order. */
export interface EncodedTensors extends Encoded {
  readonly tensors: readonly TensorDescription[];
}

/**
 * Converts pictures to a model's input: the tensor of their pixels, whose values value-table.ts computes, and the
 * tensors beside it.
 *
 * @param pictures - [height, width, 1 | 3] uint8 each
 * @param sizes - those of the source and of the pictures
 * @param key - of the response
 */
export function tensors(
  pictures: readonly Pixels[],
  sizes: PictureSizes,
  plan: TensorPlan,
  key = '',
): EncodedTensors {
  const { channels } = pictures[0] as Pixels;
  const described = describeTensors(sizes, channels, plan);
  const { container } = plan;
  // An item of vLLM takes values in any container.
  const opened = openContainer(described, container === 'vllm' ? 'safetensors' : container);
  const [pixels, ...extras] = opened.values as [Uint8Array, ...Uint8Array[]];
  writePixels(pictures, plan, pixels);
  for (const [index, extra] of (plan.extras ?? []).entries()) {
    writeExtra(extra, sizes, described[index + 1] as TensorDescription, extras[index] as Uint8Array);
  }
  if (container === 'vllm') {
    const written = described.map((tensor, index) => ({
      ...tensor,
      values: opened.values[index] as Uint8Array,
    }));
    return { ...vllmContent(written, plan, key), tensors: described };
  }
  opened.close();
  return { content: opened.content, contentType: opened.contentType, tensors: described };
}

/**
 * The tensors of an image, before they are made: that of the pixels is first.
 *
 * @param channels - of each picture
 */
export function describeTensors(
  sizes: PictureSizes,
  channels: number,
  plan: TensorPlan,
): readonly TensorDescription[] {
  const { name, datatype, layout, extras = [] } = plan;
  const arrangement = arrangementOf(plan);
  const shape = kindOfArrangement(arrangement).shape(arrangement, sizes.pictures, channels, layout);
  return [
    { name, datatype, shape },
    ...extras.map((extra) => {
      const kind = kindOfExtra(extra);
      return { name: extra.name, datatype: kind.datatype(extra), shape: kind.shape(extra, sizes) };
    }),
  ];
}

/** The names of a plan's tensors, in their order. */
export function namesOfTensors({
  name,
  extras = [],
}: Pick<TensorPlan, 'name' | 'extras'>): readonly string[] {
  return [name, ...extras.map((extra) => extra.name)];
}

/** How a batch joins each of a plan's tensors, in their order. */
export function batchRulesOf(plan: TensorPlan): readonly BatchRule[] {
  const arrangement = arrangementOf(plan);
  const extras = plan.extras ?? [];
  return [
    kindOfArrangement(arrangement).batchRule(arrangement),
    ...extras.map((extra) => kindOfExtra(extra).batchRule(extra)),
  ];
}

/** How the pictures become one tensor. */
export function arrangementOf({ arrangement = { kind: 'images' } }: TensorPlan): Arrangement {
  return arrangement;
}

/** @param bytes - of the tensor's values, all 0 */
function writePixels(pictures: readonly Pixels[], plan: TensorPlan, bytes: Uint8Array): void {
  const { channels } = pictures[0] as Pixels;
  const arrangement = arrangementOf(plan);
  const kind = kindOfArrangement(arrangement);
  if (kind.computesFloats && plan.datatype !== 'FP32') {
    // Values that are computed from others are rounded to the datatype at the end.
    const floats = new Float32Array(bytes.length / datatypes[plan.datatype].bytes);
    const tables = channelTables({ ...plan, datatype: 'FP32' }, channels);
    kind.write(arrangement, pictures, tables, plan.layout, floats);
    const { buffer, byteOffset, byteLength } = inDatatype(plan.datatype, floats);
    bytes.set(new Uint8Array(buffer, byteOffset, byteLength));
    return;
  }
  const { values, close } = valuesOver(plan.datatype, bytes);
  kind.write(arrangement, pictures, channelTables(plan, channels), plan.layout, values);
  close();
}

function writeExtra(
  extra: ExtraTensor,
  sizes: PictureSizes,
  { datatype }: TensorDescription,
  bytes: Uint8Array,
): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let index = 0;
  for (const value of kindOfExtra(extra).values(extra, sizes)) {
    switch (datatype) {
      case 'INT64':
        view.setBigInt64(8 * index, BigInt(value), true);
        break;
      case 'INT32':
        view.setInt32(4 * index, value, true);
        break;
      case 'FP32':
        view.setFloat32(4 * index, value, true);
        break;
      default:
        view.setUint8(index, value);
    }
    index++;
  }
}

/** The sizes of one picture that is not cut. */
export function sizesOfPicture(source: Size, picture: Size): PictureSizes {
  return { source, picture, pictures: [picture], contents: [picture] };
}
