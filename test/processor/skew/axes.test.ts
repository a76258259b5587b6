import { describe, expect, test } from 'vitest';
import { readingsOf, shapeUnexplained } from '../../../src/processor/skew/axes.ts';
import type { GivenTensor } from '../../../src/processor/skew/given/given-tensor.ts';
import { likelyReadings } from '../../../src/processor/skew/readings.ts';

const layoutsOf = (...shape: number[]) => readingsOf({ shape }).map(({ layout }) => layout);

describe(readingsOf, () => {
  test.each([
    [
      [2, 5],
      ['HW', 'WH'],
    ],
    [
      [3, 2, 5],
      ['CHW', 'CWH'],
    ],
    [
      [2, 5, 3],
      ['HWC', 'WHC'],
    ],
    [
      [1, 3, 2, 5],
      ['NCHW', 'NCWH'],
    ],
    [
      [1, 2, 5, 3],
      ['NHWC', 'NWHC'],
    ],
    [
      [1, 1, 3, 2, 5],
      ['1NCHW', '1NCWH'],
    ],
    [
      [1, 2, 5],
      ['CHW', 'CWH'],
    ],
    [
      [2, 5, 1],
      ['HWC', 'WHC'],
    ],
    [
      [3, 2, 3],
      ['CHW', 'HWC', 'CWH', 'WHC'],
    ],
    [
      [4, 2, 5],
      ['CHW', 'CWH'],
    ],
    [[2, 3, 2, 5], []],
    [[7, 2, 5], []],
    [[12], []],
    [[], []],
  ] as const)('the shape %j is read as %j', (shape, layouts) => {
    expect(layoutsOf(...shape)).toEqual(layouts);
  });

  test('each reading finds the values of a pixel', () => {
    const [rows, columns] = readingsOf({ shape: [1, 3, 2, 5] });
    expect(rows).toMatchObject({ width: 5, height: 2, rowStep: 5, columnStep: 1, channelStep: 10 });
    expect(columns).toMatchObject({ width: 2, height: 5, rowStep: 1, columnStep: 5, channelStep: 10 });
    const [channelsLast] = readingsOf({ shape: [2, 5, 3] });
    expect(channelsLast).toMatchObject({ width: 5, height: 2, rowStep: 15, columnStep: 3, channelStep: 1 });
  });

  test('a fourth channel is reported as alpha', () => {
    const [axes] = readingsOf({ shape: [4, 2, 5] });
    expect(axes?.words).toEqual({ layout: 'CHW', alpha: 'kept as a fourth channel' });
  });
});

describe(shapeUnexplained, () => {
  test('a batch of several images is refused with the shape of one', () => {
    const { reason, message } = shapeUnexplained({ shape: [8, 3, 224, 224], datatype: 'FP32' });
    expect(reason).toBe('TENSOR_SHAPE_UNEXPLAINED');
    expect(message).toContain(
      'a batch of 8 images. Send the part of one image: its shape is 1 × 3 × 224 × 224.',
    );
  });

  test('another shape is refused with its axes', () => {
    expect(shapeUnexplained({ shape: [5], datatype: 'FP32' }).metadata).toEqual({ actual: '5' });
  });
});

describe(likelyReadings, () => {
  const side = 24;
  /** A picture that is brighter to the right, CHW. */
  const bright = (isExchanged: boolean): GivenTensor => ({
    name: 'x',
    datatype: 'FP32',
    shape: [3, side, side],
    values: Float32Array.from({ length: 3 * side * side }, (_, index) =>
      isExchanged ? Math.floor(index / side) % side : index % side,
    ),
  });
  const layouts = (given: GivenTensor) => likelyReadings(given, bright(false)).map(({ layout }) => layout);

  test('the reading that shows the expected picture comes first, and the usual one stays', () => {
    expect(layouts(bright(false))).toEqual(['CHW']);
    expect(layouts(bright(true))).toEqual(['CWH', 'CHW']);
  });

  test('all readings stay if none shows the expected picture', () => {
    const { values, ...rest } = bright(false);
    const noise = values.map((_, index) => (index * 7919) % 101);
    expect(layouts({ ...rest, values: noise })).toEqual(['CHW', 'CWH']);
  });
});
