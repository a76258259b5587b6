import type { Encoded } from '../codecs/encode.ts';
import type { BatchRule } from './arrangements/arrangement.ts';
import { type Arrangement, kindOfArrangement } from './arrangements/arrangements.ts';
import type { PictureSizes } from './extras/extra.ts';
import { type ExtraTensor, kindOfExtra } from './extras/extras.ts';
import type { Pixels } from './pixels.ts';
import type { TensorPlan } from './plan.ts';
import type { Size } from './shortest-edge.ts';
import { bytesOfTensor, containTensors, type Tensor, type TensorDescription } from './tensor-container.ts';
import { channelTables, inDatatype, zeros } from './value-table.ts';

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
 */
export function tensors(pictures: readonly Pixels[], sizes: PictureSizes, plan: TensorPlan): EncodedTensors {
  const { channels } = pictures[0] as Pixels;
  const [pixels, ...extras] = describeTensors(sizes, channels, plan);
  const written = [
    pixelTensor(pictures, pixels as TensorDescription, plan),
    ...extras.map((description, index) =>
      extraTensor(plan.extras?.[index] as ExtraTensor, sizes, description),
    ),
  ];
  return { ...containTensors(written, plan.container), tensors: written.map(withoutValues) };
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

function pixelTensor(pictures: readonly Pixels[], description: TensorDescription, plan: TensorPlan): Tensor {
  const { channels } = pictures[0] as Pixels;
  const arrangement = arrangementOf(plan);
  const length = description.shape.reduce((product, side) => product * side, 1);
  const kind = kindOfArrangement(arrangement);
  // Values that are computed from others are rounded to the datatype at the end.
  const { datatype } = kind.computesFloats ? { datatype: 'FP32' as const } : plan;
  const written = zeros(datatype, length);
  kind.write(arrangement, pictures, channelTables({ ...plan, datatype }, channels), plan.layout, written);
  const values = written instanceof Float32Array ? inDatatype(plan.datatype, written) : written;
  return { ...description, values: new Uint8Array(values.buffer, values.byteOffset, values.byteLength) };
}

function extraTensor(extra: ExtraTensor, sizes: PictureSizes, description: TensorDescription): Tensor {
  const { datatype } = description;
  const values = new Uint8Array(bytesOfTensor(description));
  const view = new DataView(values.buffer);
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
  return { ...description, values };
}

function withoutValues({ name, datatype, shape }: Tensor): TensorDescription {
  return { name, datatype, shape };
}

/** The sizes of one picture that is not cut. */
export function sizesOfPicture(source: Size, picture: Size): PictureSizes {
  return { source, picture, pictures: [picture], contents: [picture] };
}
