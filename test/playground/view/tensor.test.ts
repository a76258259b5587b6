import { describe, expect, it } from 'vitest';
import {
  bfloat16ToNumber,
  halfToNumber,
  readPlanes,
  statisticsOf,
} from '../../../src/playground/view/tensor.ts';

const raw = 'application/octet-stream';

function bytesOf(values: Float32Array | Uint16Array): Uint8Array {
  return new Uint8Array(values.buffer);
}

describe(readPlanes, () => {
  it('reads the channels of NCHW one after the other', () => {
    const content = new Uint8Array([1, 2, 3, 4, 5, 6]);
    const planes = readPlanes(content, raw, 'UINT8', [1, 3, 1, 2], 'nchw');
    expect(planes).toMatchObject({ width: 2, height: 1 });
    expect(planes.channels.map((channel) => [...channel])).toEqual([
      [1, 2],
      [3, 4],
      [5, 6],
    ]);
  });

  it('separates the channels of NHWC', () => {
    const content = new Uint8Array([1, 2, 3, 4, 5, 6]);
    const planes = readPlanes(content, raw, 'UINT8', [1, 1, 2, 3], 'nhwc');
    expect(planes).toMatchObject({ width: 2, height: 1 });
    expect(planes.channels.map((channel) => [...channel])).toEqual([
      [1, 4],
      [2, 5],
      [3, 6],
    ]);
  });

  it('finds the values behind the headers of npy, safetensors and npz', () => {
    const values = bytesOf(new Float32Array([0.5, -2]));
    const npy = new Uint8Array([
      0x93,
      ...Buffer.from('NUMPY'),
      1,
      0,
      6,
      0,
      ...Buffer.from('{...}\n'),
      ...values,
    ]);
    const safetensors = new Uint8Array([3, 0, 0, 0, 0, 0, 0, 0, ...Buffer.from('{ }'), ...values]);
    const zipHeader = new Uint8Array(30);
    zipHeader[26] = 9;
    zipHeader[28] = 2;
    zipHeader[18] = npy.length;
    const npz = new Uint8Array([
      ...zipHeader,
      ...Buffer.from('image.npy--'),
      ...npy,
      ...Buffer.from('PK directory'),
    ]);
    for (const [content, type] of [
      [npy, 'application/x-npy'],
      [npz, 'application/x-npz'],
      [safetensors, 'application/vnd.safetensors'],
    ] as const) {
      expect([...(readPlanes(content, type, 'FP32', [1, 1, 1, 2], 'nchw').channels[0] ?? [])]).toEqual([
        0.5, -2,
      ]);
    }
  });

  it('refuses bytes that do not match the shape', () => {
    expect(() => readPlanes(new Uint8Array(5), raw, 'UINT8', [1, 3, 1, 2], 'nchw')).toThrow(
      '5 values do not make a tensor of 1 × 3 × 1 × 2',
    );
  });
});

describe(halfToNumber, () => {
  it.each([
    [0x3c00, 1],
    [0xc100, -2.5],
    [0x7bff, 65504],
    [0x0001, 2 ** -24],
    [0x7c00, Number.POSITIVE_INFINITY],
    [0x7e00, Number.NaN],
  ])('reads %i as %d', (bits, expected) => {
    expect(halfToNumber(bits)).toBe(expected);
  });
});

describe(bfloat16ToNumber, () => {
  it.each([
    [0x3f80, 1],
    [0xc020, -2.5],
    [0x7f80, Number.POSITIVE_INFINITY],
  ])('reads %i as %d', (bits, expected) => {
    expect(bfloat16ToNumber(bits)).toBe(expected);
  });
});

describe(statisticsOf, () => {
  it('counts the greatest value in the last bin', () => {
    expect(statisticsOf(new Float32Array([0, 1, 2, 3, 4, 4, 4, 2]), 4)).toEqual({
      min: 0,
      max: 4,
      mean: 2.5,
      std: Math.sqrt(2),
      notFinite: 0,
      histogram: [1, 1, 2, 4],
    });
  });

  it('keeps values that are not finite out of the figures', () => {
    const { min, max, mean, notFinite } = statisticsOf(
      new Float32Array([1, Number.NaN, 3, Number.POSITIVE_INFINITY]),
      2,
    );
    expect([min, max, mean, notFinite]).toEqual([1, 3, 2, 2]);
  });

  it('puts values that are all the same into one bin', () => {
    expect(statisticsOf(new Float32Array([7, 7]), 2)).toMatchObject({ std: 0, histogram: [2, 0] });
  });
});
