import type { Encoded } from '../codecs/encode.ts';
import type { TensorName, TensorPlan } from './plan.ts';

/** A tensor's name, type and shape, by the names of the Open Inference Protocol. */
export interface TensorDescription {
  readonly name: TensorName;
  readonly datatype: TensorPlan['datatype'];
  readonly shape: readonly number[];
}

/**
 * Writes a tensor.
 *
 * @param bytes - its values in C order, little-endian
 * @param length - of all values, which the header names
 */
export function containTensor(
  bytes: Uint8Array,
  description: TensorDescription,
  container: TensorPlan['container'],
  length = bytes.length,
): Encoded {
  switch (container) {
    case 'raw':
      return { content: bytes, contentType: 'application/octet-stream' };
    case 'npy':
      return { content: joined(npyHeader(description), bytes), contentType: 'application/x-npy' };
    case 'safetensors':
      return {
        content: joined(safetensorsHeader(description, length), bytes),
        contentType: 'application/vnd.safetensors',
      };
  }
}

/** A tensor whose values are still to be written. */
export interface EmptyTensor extends Encoded {
  /** Where in the content the values belong. */
  readonly values: Uint8Array;
}

/** The same for values that come one part after the other. @param bytes - of all values */
export function emptyTensor(
  bytes: number,
  description: TensorDescription,
  container: TensorPlan['container'],
): EmptyTensor {
  const { content: start, contentType } = containTensor(new Uint8Array(), description, container, bytes);
  const content = new Uint8Array(start.length + bytes);
  content.set(start);
  return { content, contentType, values: content.subarray(start.length) };
}

function joined(header: Uint8Array, values: Uint8Array): Uint8Array {
  const whole = new Uint8Array(header.length + values.length);
  whole.set(header);
  whole.set(values, header.length);
  return whole;
}

const npyTypes: Readonly<Partial<Record<TensorPlan['datatype'], string>>> = {
  UINT8: '|u1',
  FP16: '<f2',
  FP32: '<f4',
};

/** NumPy's format 1.0 (NEP 1): the header is padded so that the values begin at a multiple of 64. */
function npyHeader({ datatype, shape }: TensorDescription): Uint8Array {
  const prefixLength = 10;
  const text = `{'descr': '${npyTypes[datatype]}', 'fortran_order': False, 'shape': (${shape.join(', ')}), }`;
  const padded = text.padEnd(Math.ceil((prefixLength + text.length + 1) / 64) * 64 - prefixLength - 1);
  const header = Buffer.from(`\x93NUMPY\x01\x00\x00\x00${padded}\n`, 'latin1');
  header.writeUInt16LE(padded.length + 1, 8);
  return header;
}

const safetensorsTypes = { UINT8: 'U8', FP16: 'F16', FP32: 'F32', BF16: 'BF16' } as const;

/** safetensors: the header's length in 8 bytes, JSON padded with spaces to a multiple of 8, the values. */
function safetensorsHeader({ name, datatype, shape }: TensorDescription, length: number): Uint8Array {
  const json = JSON.stringify({
    [name]: { dtype: safetensorsTypes[datatype], shape, data_offsets: [0, length] },
  });
  const padded = json.padEnd(Math.ceil(json.length / 8) * 8);
  const header = Buffer.alloc(8 + padded.length);
  header.writeBigUInt64LE(BigInt(padded.length));
  header.write(padded, 8, 'latin1');
  return header;
}
