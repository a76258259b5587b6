import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { differenceOf, mapOf } from '../../../src/processor/skew/difference.ts';
import type { GivenTensor, TensorValues } from '../../../src/processor/skew/given/given-tensor.ts';
import { percentilesOf } from '../../../src/processor/skew/percentiles.ts';

function tensor(shape: readonly number[], values: TensorValues, datatype: GivenTensor['datatype'] = 'FP32') {
  return { name: 'x', datatype, shape, values };
}

describe(percentilesOf, () => {
  const sizes = [1, 2, 7, 1000, 4096];
  test.each(sizes)('%d values have the percentiles of the sorted list', (count) => {
    const values = Float64Array.from({ length: count }, (_, index) => ((index * 7919) % 1009) ** 3 / 1e4);
    const sorted = values.toSorted();
    const percents = [0.1, 25, 50, 90, 99, 99.9, 100];
    expect(percentilesOf(values, percents).map(({ value }) => value)).toEqual(
      percents.map((percent) => sorted[Math.ceil((percent / 100) * count) - 1]),
    );
  });

  test('values that FP32 cannot tell apart are distinguished', () => {
    const values = Float64Array.of(1 + 2 ** -50, 1, 1 + 2 ** -51);
    expect(percentilesOf(values, [50])).toEqual([{ percent: 50, value: 1 + 2 ** -51 }]);
  });

  test('no values have percentiles of 0', () => {
    expect(percentilesOf(new Float64Array(0), [50])).toEqual([{ percent: 50, value: 0 }]);
  });
});

describe(differenceOf, () => {
  const picture = Float32Array.from({ length: 12 }, (_, index) => index);

  test('equal tensors are equal', () => {
    const one = tensor([3, 2, 2], picture);
    expect(differenceOf(one, tensor([3, 2, 2], picture.slice()))).toMatchObject({
      isEqual: true,
      differingShare: 0,
      meanAbs: 0,
      maxAbs: 0,
    });
  });

  test('the statistics are those of the absolute differences', () => {
    const other = picture.slice();
    other[0] = -1;
    other[1] = 4;
    other[2] = 2.5;
    expect(differenceOf(tensor([3, 2, 2], other), tensor([3, 2, 2], picture))).toEqual({
      isEqual: false,
      differingShare: 3 / 12,
      meanAbs: 4.5 / 12,
      maxAbs: 3,
      percentiles: [
        { percent: 50, value: 0 },
        { percent: 90, value: 1 },
        { percent: 99, value: 3 },
        { percent: 99.9, value: 3 },
      ],
    });
  });

  test('values of the same pixel are compared if only the order of the axes differs', () => {
    // Channel c of pixel p is 4c + p in the planes.
    const rows = Float32Array.from({ length: 12 }, (_, index) => 4 * (index % 3) + Math.floor(index / 3));
    const planes = tensor([1, 3, 2, 2], picture);
    expect(differenceOf(tensor([2, 2, 3], rows), planes)).toMatchObject({
      isEqual: false,
      differingShare: 0,
    });
    // Rows and columns are exchanged in a picture of 1 × 2.
    const exchanged = tensor([3, 2, 1], picture.slice(0, 6));
    expect(differenceOf(exchanged, tensor([1, 3, 1, 2], picture.slice(0, 6)))).toMatchObject({
      differingShare: 0,
    });
  });

  test('values of another datatype are compared as numbers, and are not equal', () => {
    const bytes = tensor([3, 2, 2], Uint8Array.from(picture), 'UINT8');
    expect(differenceOf(bytes, tensor([3, 2, 2], picture))).toMatchObject({
      isEqual: false,
      differingShare: 0,
    });
  });

  test('tensors of other sizes have no difference', () => {
    expect(differenceOf(tensor([3, 1, 4], picture), tensor([3, 2, 2], picture))).toBeUndefined();
    expect(differenceOf(tensor([12], picture), tensor([3, 2, 2], picture))).toBeUndefined();
  });
});

describe(mapOf, () => {
  test('each pixel shows the root of its largest difference', async () => {
    const expected = tensor([3, 1, 4], new Float32Array(12));
    // Three planes of four pixels.
    const given = tensor([1, 1, 4, 3], Float32Array.of(0, 0, 0, 0.25, 0, 0, 0, -1, 0.5, 0, 0, 4));
    const map = await mapOf(given, expected);
    const { data, info } = await sharp(map).extractChannel(0).raw().toBuffer({ resolveWithObject: true });
    expect([info.width, info.height]).toEqual([4, 1]);
    expect([...data]).toEqual([0, 64, 128, 255]);
  });

  test('one pixel does not darken the others', async () => {
    const values = new Float32Array(2000).fill(1);
    values[7] = 1000;
    const map = await mapOf(tensor([40, 50], values), tensor([40, 50], new Float32Array(2000)));
    const data = await sharp(map).extractChannel(0).raw().toBuffer();
    expect([...new Set(data)]).toEqual([255]);
  });

  test('equal tensors have a black map', async () => {
    const one = tensor([2, 2], new Float32Array(4));
    const data = await sharp(await mapOf(one, one))
      .raw()
      .toBuffer();
    expect([...new Set(data)]).toEqual([0]);
  });
});
