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
  const extras = plan.extras ?? [];
  for (const [index, part] of partsOf(plan, pictures).entries()) {
    // The rest follows the extra tensors.
    writePixels(part.pictures, part.plan, opened.values[index * (1 + extras.length)] as Uint8Array);
  }
  for (const [index, extra] of extras.entries()) {
    const [description, values] = [described[index + 1], opened.values[index + 1]];
    writeExtra(extra, sizes, description as TensorDescription, values as Uint8Array);
  }
  if (container === 'vllm') {
    const written = described.map((tensor, index) => ({
      ...tensor,
      values: opened.values[index] as Uint8Array,
    }));
    return { ...vllmContent(written, sizes, plan, key), tensors: described };
  }
  opened.close();
  return { content: opened.content, contentType: opened.contentType, tensors: described };
}

/** The tensors of pixels: their plans, and the pictures of each. */
export function partsOf<Picture>(
  plan: TensorPlan,
  pictures: readonly Picture[],
): readonly { readonly plan: TensorPlan; readonly pictures: readonly Picture[] }[] {
  const { rest } = plan;
  if (rest === undefined) return [{ plan, pictures }];
  const first = { plan, pictures: pictures.slice(0, 1) };
  return pictures.length === 1
    ? [first]
    : [first, { plan: { ...plan, ...rest }, pictures: pictures.slice(1) }];
}

/**
 * The tensors of an image, before they are made: that of the pixels is first, and that of the rest of them last.
 *
 * @param channels - of each picture
 */
export function describeTensors(
  sizes: PictureSizes,
  channels: number,
  plan: TensorPlan,
): readonly TensorDescription[] {
  const { datatype, layout, extras = [] } = plan;
  const arrangement = arrangementOf(plan);
  const kindOf = kindOfArrangement(arrangement);
  const [first, ...rest] = partsOf(plan, sizes.pictures).map(({ plan: { name }, pictures }) => ({
    name,
    datatype,
    shape: kindOf.shape(arrangement, pictures, channels, layout),
  }));
  return [
    first as TensorDescription,
    ...extras.map((extra) => {
      const kind = kindOfExtra(extra);
      return { name: extra.name, datatype: kind.datatype(extra), shape: kind.shape(extra, sizes) };
    }),
    ...rest,
  ];
}

/** The names of a plan's tensors, in their order. */
export function namesOfTensors({
  name,
  extras = [],
  rest,
}: Pick<TensorPlan, 'name' | 'extras' | 'rest'>): readonly string[] {
  return [name, ...extras.map((extra) => extra.name), ...(rest ? [rest.name] : [])];
}

/** How a batch joins each of a plan's tensors, in their order. */
export function batchRulesOf(plan: TensorPlan): readonly BatchRule[] {
  const arrangement = arrangementOf(plan);
  const extras = plan.extras ?? [];
  return [
    kindOfArrangement(arrangement).batchRule(arrangement),
    ...extras.map((extra) => kindOfExtra(extra).batchRule(extra)),
    ...(plan.rest ? (['concatenateSome'] as const) : []),
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
