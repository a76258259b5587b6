import type { MadeTensor } from './comparison.ts';

const descriptions: Readonly<Record<string, string>> = {
  UINT8: '|u1',
  FP16: '<f2',
  FP32: '<f4',
  FP64: '<f8',
  INT32: '<i4',
  INT64: '<i8',
};

/** A file of NumPy's NEP 1, version 1.0. */
export function npyOf({ datatype, shape, bytes }: MadeTensor): Uint8Array<ArrayBuffer> {
  const header = `{'descr': '${descriptions[datatype]}', 'fortran_order': False, 'shape': (${shape.join(', ')},), }`;
  const padded = `${header.padEnd(Math.ceil((header.length + 11) / 64) * 64 - 11)}\n`;
  const length = Buffer.alloc(2);
  length.writeUInt16LE(padded.length);
  return Uint8Array.from(
    Buffer.concat([Buffer.from('\x93NUMPY\x01\x00', 'latin1'), length, Buffer.from(padded), bytes]),
  );
}
