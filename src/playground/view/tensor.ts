import type { ProcessResponse } from '../../../gen/image/v1/processor_pb.ts';

/** A tensor's values, a plane a channel. */
export interface Planes {
  readonly width: number;
  readonly height: number;
  /** Each [height, width], for either layout. */
  readonly channels: readonly Float32Array[];
}

/** The statistics of a channel. */
export interface Statistics {
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  /** Of the population, as numpy.std. */
  readonly std: number;
  /** Values that are no finite number; the others make the figures. */
  readonly notFinite: number;
  /** Counts in bins of equal width from min to max, the last one with its end. */
  readonly histogram: readonly number[];
}

/** Reads a value by its index. */
export type ReadValue = (view: DataView, index: number) => number;

/** The length of a value in bytes and its reader, by datatype. Values are little-endian. */
export const valueReaders: Readonly<Record<string, { readonly bytes: number; readonly read: ReadValue }>> = {
  UINT8: { bytes: 1, read: (view, index) => view.getUint8(index) },
  INT32: { bytes: 4, read: (view, index) => view.getInt32(4 * index, true) },
  INT64: { bytes: 8, read: (view, index) => Number(view.getBigInt64(8 * index, true)) },
  FP16: { bytes: 2, read: (view, index) => halfToNumber(view.getUint16(2 * index, true)) },
  BF16: { bytes: 2, read: (view, index) => bfloat16ToNumber(view.getUint16(2 * index, true)) },
  FP32: { bytes: 4, read: (view, index) => view.getFloat32(4 * index, true) },
  FP64: { bytes: 8, read: (view, index) => view.getFloat64(8 * index, true) },
};

/**
 * Reads a tensor of the service.
 *
 * @param content - the tensor in its container
 * @param contentType - application/octet-stream (only the values), application/x-npy, application/x-npz or
 *   application/vnd.safetensors
 * @param shape - [1, channels, height, width] or [1, height, width, channels]
 */
export function readPlanes(
  content: Uint8Array,
  contentType: string,
  datatype: string,
  shape: readonly number[],
  layout: 'nchw' | 'nhwc',
): Planes {
  const [, a = 0, b = 0, c = 0] = shape;
  const [count, height, width] = layout === 'nchw' ? [a, b, c] : [c, a, b];
  const values = readValues(valuesIn(content, contentType), datatype);
  if (values.length !== count * height * width) {
    throw new Error(`${values.length} values do not make a tensor of ${shape.join(' × ')}`);
  }
  const area = height * width;
  const channels = Array.from({ length: count }, (_, channel) =>
    layout === 'nchw'
      ? values.subarray(channel * area, (channel + 1) * area)
      : Float32Array.from({ length: area }, (_value, at) => values[at * count + channel] ?? 0),
  );
  return { width, height, channels };
}

/** The only tensor of a response, in NCHW. */
export function planesOf({ tensors: [tensor], content, contentType }: ProcessResponse): Planes {
  if (tensor === undefined) throw new Error('The response has no tensor.');
  return readPlanes(content, contentType, tensor.datatype, tensor.shape.map(Number), 'nchw');
}

/** The bytes of the values. */
function valuesIn(content: Uint8Array, contentType: string): Uint8Array {
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
  switch (contentType) {
    case 'application/x-npy':
      // The .npy format, version 1.0: six bytes of magic, two of version, two of the header's length.
      return content.subarray(10 + view.getUint16(8, true));
    case 'application/x-npz': {
      // The first entry of a ZIP file: a header of 30 bytes, the entry's name, its extra field and its data.
      const start = 30 + view.getUint16(26, true) + view.getUint16(28, true);
      return valuesIn(content.subarray(start, start + view.getUint32(18, true)), 'application/x-npy');
    }
    case 'application/vnd.safetensors':
      return content.subarray(8 + Number(view.getBigUint64(0, true)));
    default:
      return content;
  }
}

function readValues(data: Uint8Array, datatype: string): Float32Array {
  const reader = valueReaders[datatype];
  if (reader === undefined) throw new Error(`the datatype ${datatype} is not supported`);
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const values = new Float32Array(Math.floor(data.length / reader.bytes));
  for (let index = 0; index < values.length; index++) values[index] = reader.read(view, index);
  return values;
}

/** IEEE 754 binary16: a sign, 5 bits of exponent with a bias of 15, 10 of fraction. */
export function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

const word = new DataView(new ArrayBuffer(4));

/** bfloat16 is the upper half of a binary32. */
export function bfloat16ToNumber(bits: number): number {
  word.setUint32(0, bits << 16);
  return word.getFloat32(0);
}

/** Figures of values, with a histogram of so many bins. */
export function statisticsOf(values: Float32Array, bins: number): Statistics {
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  let sum = 0;
  let count = 0;
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    if (value < min) min = value;
    if (value > max) max = value;
    sum += value;
    count += 1;
  }
  const mean = sum / count;
  const histogram = new Array<number>(bins).fill(0);
  const binsPerUnit = max > min ? bins / (max - min) : 0;
  let squares = 0;
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    squares += (value - mean) ** 2;
    const bin = Math.min(bins - 1, Math.floor((value - min) * binsPerUnit));
    histogram[bin] = (histogram[bin] ?? 0) + 1;
  }
  return { min, max, mean, std: Math.sqrt(squares / count), notFinite: values.length - count, histogram };
}
