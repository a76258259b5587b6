import { describe, expect, it } from 'vitest';
import {
  roundHalfToEven,
  shortestAndLongestEdgeSize,
  shortestEdgeSize,
  withinSize,
} from '../../../src/processor/image/shortest-edge.ts';

describe(shortestEdgeSize, () => {
  it('sets the shorter side and keeps the longer one in proportion', () => {
    expect(shortestEdgeSize({ width: 640, height: 480 }, 240)).toEqual({ width: 320, height: 240 });
    expect(shortestEdgeSize({ width: 480, height: 640 }, 240)).toEqual({ width: 240, height: 320 });
    expect(shortestEdgeSize({ width: 50, height: 50 }, 224)).toEqual({ width: 224, height: 224 });
  });

  // 224·500/375 = 298.67
  it('cuts the fraction off', () => {
    expect(shortestEdgeSize({ width: 500, height: 375 }, 224)).toEqual({ width: 298, height: 224 });
    expect(shortestEdgeSize({ width: 375, height: 500 }, 224)).toEqual({ width: 224, height: 298 });
    expect(shortestEdgeSize({ width: 5000, height: 4999 }, 224)).toEqual({ width: 224, height: 224 });
    expect(shortestEdgeSize({ width: 1, height: 5000 }, 224)).toEqual({ width: 224, height: 1_120_000 });
  });
});

describe(shortestAndLongestEdgeSize, () => {
  it('depends only on the shorter side while the longer one is within its limit', () => {
    expect(shortestAndLongestEdgeSize({ width: 640, height: 480 }, 240, 320)).toEqual({
      width: 320,
      height: 240,
    });
    expect(shortestAndLongestEdgeSize({ width: 480, height: 640 }, 800, 1333)).toEqual({
      width: 800,
      height: 1066,
    });
  });

  // 100 · 300/1000 = 30 on the shorter side; 131·427/640 = 87.4 and 87.4·640/427 = 131 without its fraction
  it('reduces the shorter side if the longer one would exceed its limit', () => {
    expect(shortestAndLongestEdgeSize({ width: 1000, height: 300 }, 90, 100)).toEqual({
      width: 100,
      height: 30,
    });
    expect(shortestAndLongestEdgeSize({ width: 640, height: 427 }, 90, 131)).toEqual({
      width: 131,
      height: 87,
    });
  });

  // 5·1/2 = 2.5 and 7·1/2 = 3.5
  it('rounds a half on the shorter side to the even number', () => {
    expect(shortestAndLongestEdgeSize({ width: 200, height: 100 }, 90, 5)).toEqual({ width: 5, height: 2 });
    expect(shortestAndLongestEdgeSize({ width: 200, height: 100 }, 90, 7)).toEqual({ width: 7, height: 4 });
  });

  // 98·30/99 = 29.7, which rounds to the 30 that it has, so that the longer side stays too long
  it('keeps the size of an image whose shorter side has that length', () => {
    expect(shortestAndLongestEdgeSize({ width: 99, height: 30 }, 30, 200)).toEqual({ width: 99, height: 30 });
    expect(shortestAndLongestEdgeSize({ width: 99, height: 30 }, 30, 98)).toEqual({ width: 99, height: 30 });
  });

  it('is 0 pixels if an image is too thin', () => {
    expect(shortestAndLongestEdgeSize({ width: 5000, height: 1 }, 90, 100)).toEqual({
      width: 100,
      height: 0,
    });
  });
});

describe(withinSize, () => {
  it('is the largest size that fits, enlarged or reduced', () => {
    expect(withinSize({ width: 200, height: 100 }, 50, 50)).toEqual({ width: 50, height: 25 });
    expect(withinSize({ width: 200, height: 100 }, 500, 200)).toEqual({ width: 400, height: 200 });
  });

  // 334 · 100/517 = 64.6
  it('cuts the fraction off', () => {
    expect(withinSize({ width: 334, height: 517 }, 100, 100)).toEqual({ width: 64, height: 100 });
    expect(withinSize({ width: 517, height: 334 }, 100, 100)).toEqual({ width: 100, height: 64 });
  });
});

describe(roundHalfToEven, () => {
  it.each([
    [0, 0],
    [0.5, 0],
    [1.5, 2],
    [2.5, 2],
    [2.4, 2],
    [2.6, 3],
  ])('rounds %d to %d', (value, rounded) => {
    expect(roundHalfToEven(value)).toBe(rounded);
  });
});
