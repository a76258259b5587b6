import { describe, expect, it } from 'vitest';
import { joinedShape, keepLargest, writeJoined } from '../../../src/processor/image/join-tensors.ts';

describe(joinedShape, () => {
  it('adds up the first axis', () => {
    expect(
      joinedShape(
        [
          [2, 3],
          [1, 3],
        ],
        'concatenate',
      ),
    ).toEqual([3, 3]);
  });

  it('pads the other axes to the longest', () => {
    expect(
      joinedShape(
        [
          [1, 3, 2, 5],
          [1, 3, 4, 1],
        ],
        'pad',
      ),
    ).toEqual([2, 3, 4, 5]);
  });
});

describe(writeJoined, () => {
  const tensor = (shape: number[], first: number) => ({
    description: { name: 'x', datatype: 'UINT8', shape } as const,
    values: Uint8Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, at) => first + at),
  });

  it('writes equal shapes one after another', () => {
    const joined = new Uint8Array(6);
    const [one, other] = [tensor([1, 2], 1), tensor([2, 2], 11)];
    writeJoined(one.values, one.description, 0, joined, [3, 2]);
    writeJoined(other.values, other.description, 1, joined, [3, 2]);
    expect([...joined]).toEqual([1, 2, 11, 12, 13, 14]);
  });

  it('leaves 0 where a tensor is smaller than the joined one', () => {
    const shape = [2, 2, 2, 3];
    const joined = new Uint8Array(24);
    const [one, other] = [tensor([1, 2, 1, 2], 1), tensor([1, 2, 2, 3], 101)];
    writeJoined(one.values, one.description, 0, joined, shape);
    writeJoined(other.values, other.description, 1, joined, shape);
    expect([...joined.subarray(0, 12)]).toEqual([1, 2, 0, 0, 0, 0, 3, 4, 0, 0, 0, 0]);
    expect([...joined.subarray(12)]).toEqual(Array.from({ length: 12 }, (_, at) => 101 + at));
  });

  it('writes beside each other along the last axis', () => {
    const joined = new Uint8Array(10);
    const [one, other] = [tensor([1, 2, 2], 1), tensor([1, 2, 3], 11)];
    writeJoined(one.values, one.description, 0, joined, [1, 2, 5], 'concatenateLast');
    writeJoined(other.values, other.description, 2, joined, [1, 2, 5], 'concatenateLast');
    expect([...joined]).toEqual([1, 2, 11, 12, 13, 3, 4, 14, 15, 16]);
  });

  it('counts in values of several bytes', () => {
    const joined = new Uint8Array(16);
    writeJoined(
      Uint8Array.of(1, 2, 3, 4),
      { name: 'x', datatype: 'INT32', shape: [1, 1] },
      1,
      joined,
      [2, 2],
    );
    expect([...joined]).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 0, 0, 0, 0]);
  });
});

describe(keepLargest, () => {
  it('keeps the larger number', () => {
    const number = (value: bigint) => new Uint8Array(BigInt64Array.of(value).buffer);
    const largest = number(3n);
    keepLargest(number(2n), largest);
    expect(largest).toEqual(number(3n));
    keepLargest(number(300n), largest);
    expect(largest).toEqual(number(300n));
  });
});
