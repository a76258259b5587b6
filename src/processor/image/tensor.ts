import type { Encoded } from '../codecs/encode.ts';
import type { Pixels } from './pixels.ts';
import type { TensorPlan } from './plan.ts';
import type { Size } from './shortest-edge.ts';
import { containTensors, type TensorDescription } from './tensor-container.ts';

/** Tensors in their container, and their descriptions in the same order. */
export interface EncodedTensors extends Encoded {
  readonly tensors: readonly TensorDescription[];
}

/**
 * Converts pixels to a model's input: (x × rescaleFactor − mean) / std, each step rounded to FP32 as in NumPy and
 * PyTorch, then to the datatype, half to even.
 *
 * A sample has 256 possible values, so each channel is a table of 256 results.
 *
 * @param image - [height, width, 1 | 3] uint8
 * @returns [1, channels, height, width] or [1, height, width, channels], little-endian
 */
export function tensor(image: Pixels, plan: TensorPlan): EncodedTensors {
  const { channels } = image;
  const shape = tensorShape(image, channels, plan.layout);
  const tables = Array.from({ length: channels }, (_, channel) => tableOf(plan, channel));
  const arranged = arrange(image, plan, tables);
  const description = { name: plan.name, datatype: plan.datatype, shape };
  const values = new Uint8Array(arranged.buffer, arranged.byteOffset, arranged.byteLength);
  return { ...containTensors([{ ...description, values }], plan.container), tensors: [description] };
}

/** [1, channels, height, width] or [1, height, width, channels] */
export function tensorShape(
  { width, height }: Size,
  channels: number,
  layout: TensorPlan['layout'],
): readonly number[] {
  return layout === 'NCHW' ? [1, channels, height, width] : [1, height, width, channels];
}

type Values = Uint8Array | Uint16Array | Float32Array;

/** The results for the 256 values of one channel, in the bits of the datatype. */
function tableOf(plan: TensorPlan, channel: number): Values {
  const mean = Math.fround(plan.mean[plan.mean.length === 1 ? 0 : channel] ?? 0);
  const std = Math.fround(plan.std[plan.std.length === 1 ? 0 : channel] ?? 1);
  const table = Float32Array.from({ length: 256 }, (_, pixel) => {
    const rescaled = Math.fround(pixel * plan.rescaleFactor);
    return Math.fround(rescaled - mean) / std;
  });
  switch (plan.datatype) {
    case 'UINT8':
      return Uint8Array.from({ length: 256 }, (_, pixel) => pixel);
    case 'FP32':
      return table;
    case 'FP16':
      return new Uint16Array(Float16Array.from(table).buffer);
    case 'BF16':
      return Uint16Array.from(new Uint32Array(table.buffer), toBfloat16);
  }
}

/** The upper half of an FP32, rounded half to even. Overflow gives infinity, as in PyTorch. */
function toBfloat16(bits: number): number {
  return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
}

/** Maps every pixel through its channel's table to its position in the tensor. */
function arrange(image: Pixels, plan: TensorPlan, tables: readonly Values[]): Values {
  const { data, channels } = image;
  const reversed = plan.channelOrder === 'BGR' && channels === 3;
  const pixels = image.width * image.height;
  const values = emptyLike(tables[0] as Values, pixels * channels);
  for (let channel = 0; channel < channels; channel++) {
    const table = tables[channel] as Values;
    const from = reversed ? channels - 1 - channel : channel;
    const [start, step] = plan.layout === 'NCHW' ? [channel * pixels, 1] : [channel, channels];
    for (let at = start, pixel = from; pixel < data.length; pixel += channels, at += step) {
      values[at] = table[data[pixel] as number] as number;
    }
  }
  return values;
}

function emptyLike(values: Values, length: number): Values {
  if (values instanceof Float32Array) return new Float32Array(length);
  return values instanceof Uint16Array ? new Uint16Array(length) : new Uint8Array(length);
}
