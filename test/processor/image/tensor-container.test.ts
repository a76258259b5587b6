import { describe, expect, it } from 'vitest';
import { containTensor } from '../../../src/processor/image/tensor-container.ts';

const values = Uint8Array.from({ length: 24 }, (_, at) => at);

describe(containTensor, () => {
  it('gives the values alone as raw', () => {
    const { content, contentType } = containTensor(
      values,
      { name: 'image', datatype: 'FP32', shape: [6] },
      'raw',
    );
    expect([contentType, content]).toEqual(['application/octet-stream', values]);
  });

  it.each([
    ['UINT8', '|u1', [2, 3, 2, 2]],
    ['FP16', '<f2', [2, 3, 1, 2]],
    ['FP32', '<f4', [2, 3, 1, 1]],
  ] as const)('writes %s as %s in npy, the values beginning at a multiple of 64', (datatype, type, shape) => {
    const { content } = containTensor(values, { name: 'image', datatype, shape }, 'npy');
    const bytes = Buffer.from(content);
    const start = 10 + bytes.readUInt16LE(8);
    expect(start % 64).toBe(0);
    expect(bytes.toString('latin1', 0, 8)).toBe('\x93NUMPY\x01\x00');
    const header = bytes.toString('latin1', 10, start);
    expect(header.trimEnd()).toBe(
      `{'descr': '${type}', 'fortran_order': False, 'shape': (${shape.join(', ')}), }`,
    );
    expect(header.at(-1)).toBe('\n');
    expect([...bytes.subarray(start)]).toEqual([...values]);
  });

  it.each([
    ['UINT8', 'U8'],
    ['FP16', 'F16'],
    ['FP32', 'F32'],
    ['BF16', 'BF16'],
  ] as const)(
    'writes %s as %s in safetensors, the values beginning at a multiple of 8',
    (datatype, dtype) => {
      const { content } = containTensor(
        values,
        { name: 'image', datatype, shape: [256, 3, 1, 1] },
        'safetensors',
      );
      const bytes = Buffer.from(content);
      const start = 8 + Number(bytes.readBigUInt64LE());
      expect(start % 8).toBe(0);
      expect(JSON.parse(bytes.toString('utf8', 8, start))).toEqual({
        image: { dtype, shape: [256, 3, 1, 1], data_offsets: [0, 24] },
      });
      expect([...bytes.subarray(start)]).toEqual([...values]);
    },
  );
});
