import type { DatatypeName } from '../../../datatypes.ts';

/** Rounds a number to a datatype. */
export type Round = (value: number) => number;

/** A number rounded to bfloat16, half to even. */
function toBfloat16(value: number): number {
  single[0] = value;
  const bits = singleBits[0] as number;
  singleBits[0] = (bits + 0x7fff + ((bits >>> 16) & 1)) & 0xffff0000;
  return single[0];
}

/** A number rounded to float16 over FP32, in which NumPy and PyTorch compute halves. */
function toHalf(value: number): number {
  return Math.f16round(Math.fround(value));
}

const single = new Float32Array(1);
const singleBits = new Uint32Array(single.buffer);

/** The rounding to a datatype. Integers are compared, never rounded. */
export const roundTo: Readonly<Record<DatatypeName, Round>> = {
  FP64: same,
  FP32: Math.fround,
  FP16: toHalf,
  BF16: toBfloat16,
  UINT8: same,
  INT8: same,
  INT16: same,
  UINT16: same,
  INT32: same,
  INT64: same,
  BOOL: same,
};

function same(value: number): number {
  return value;
}
