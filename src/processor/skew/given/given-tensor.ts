import type { DatatypeName } from '../../../datatypes.ts';
import type { TensorDescription } from '../../image/tensor-container.ts';

/** A tensor with its values as numbers, in C order. */
export interface GivenTensor extends TensorDescription {
  readonly values: TensorValues;
}

/** Values of any datatype, exactly: FP16 and BF16 as FP32, INT64 as FP64. */
export type TensorValues =
  | Uint8Array
  | Int8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Float32Array
  | Float64Array;

/**
 * The values in bytes, as numbers.
 *
 * @param bytes - little-endian, of whole values
 */
export function valuesOf(datatype: DatatypeName, bytes: Uint8Array): TensorValues {
  // A copy is aligned.
  const { buffer } = new Uint8Array(bytes);
  switch (datatype) {
    case 'UINT8':
    case 'BOOL':
      return new Uint8Array(buffer);
    case 'INT8':
      return new Int8Array(buffer);
    case 'INT16':
      return new Int16Array(buffer);
    case 'UINT16':
      return new Uint16Array(buffer);
    case 'INT32':
      return new Int32Array(buffer);
    case 'INT64':
      return Float64Array.from(new BigInt64Array(buffer), Number);
    case 'FP16':
      return new Float32Array(new Float16Array(buffer));
    case 'BF16':
      return new Float32Array(Uint32Array.from(new Uint16Array(buffer), (bits) => bits << 16).buffer);
    case 'FP32':
      return new Float32Array(buffer);
    case 'FP64':
      return new Float64Array(buffer);
  }
}
