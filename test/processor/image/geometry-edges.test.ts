import { describe, expect, it } from 'vitest';
import { geometryOf, madeSize, outputSize } from '../../../src/processor/image/geometry.ts';
import type { Plan } from '../../../src/processor/image/plan.ts';

describe('geometryOf by edges', () => {
  const source = { width: 640, height: 427 };

  it.each([
    ['the shorter side', { fit: 'shortestEdge', shortestEdge: 90 }, { width: 134, height: 90 }],
    [
      'the shorter side and a limit for the longer one',
      { fit: 'shortestEdge', shortestEdge: 90, longestEdge: 131 },
      { width: 131, height: 87 },
    ],
    ['its width', { fit: 'width', width: 224 }, { width: 224, height: 149 }],
    ['its height', { fit: 'height', height: 224 }, { width: 336, height: 224 }],
    ['a box', { fit: 'within', maxWidth: 100, maxHeight: 100 }, { width: 100, height: 66 }],
  ] as const)('resizes the whole image by %s', (_what, plan, size) => {
    const geometry = geometryOf(source, { ...plan, filter: 'bilinear' });
    expect(geometry).toEqual(size);
    expect(outputSize(geometry)).toEqual(size);
  });

  it.each([
    // 2.5, 3.5 and 0.5: to the even one, and never to none.
    [
      { width: 4, height: 5 },
      { fit: 'width', width: 2 },
      { width: 2, height: 2 },
    ],
    [
      { width: 4, height: 7 },
      { fit: 'width', width: 2 },
      { width: 2, height: 4 },
    ],
    [
      { width: 5, height: 4 },
      { fit: 'height', height: 2 },
      { width: 2, height: 2 },
    ],
    [
      { width: 1000, height: 1 },
      { fit: 'width', width: 500 },
      { width: 500, height: 1 },
    ],
    [
      { width: 1, height: 9000 },
      { fit: 'height', height: 9 },
      { width: 1, height: 9 },
    ],
    // 1 / 49 * 49 is less than 1 in floating point.
    [
      { width: 49, height: 1 },
      { fit: 'width', width: 1225 },
      { width: 1225, height: 25 },
    ],
  ] as const)('makes of %j by %j what is in proportion, rounded half to even', (from, plan, size) => {
    expect(geometryOf(from, { ...plan, filter: 'bilinear' })).toEqual(size);
  });

  it('says that a thin image comes to more than anyone wants, and leaves the limit to others', () => {
    const plan = { fit: 'shortestEdge', shortestEdge: 224, filter: 'bilinear' } as const;
    expect(geometryOf({ width: 1, height: 5000 }, plan)).toEqual({ width: 224, height: 1_120_000 });
  });
});

describe('geometryOf with a crop', () => {
  const crop = { width: 224, height: 224, origin: 'transformers' } as const;
  const shortestEdge = { fit: 'shortestEdge', shortestEdge: 256, filter: 'bilinear' } as const;
  const planned = (some: Partial<Plan>): Plan => ({
    resize: shortestEdge,
    crop,
    grayscale: false,
    numerics: 'exact',
    background: undefined,
    output: { kind: 'image', format: undefined, quality: undefined },
    ...some,
  });

  it('has what the crop keeps of the resized image, and makes no more', () => {
    const geometry = geometryOf({ width: 640, height: 480 }, shortestEdge, crop);
    expect(geometry).toEqual({
      width: 341,
      height: 256,
      cutout: { left: 58, top: 16, right: 282, bottom: 240 },
    });
    expect(outputSize(geometry)).toMatchObject({ width: 341, height: 256 });
    expect(madeSize(geometry, planned({}))).toEqual({ width: 224, height: 224 });
  });

  it('has the middle of an image that keeps its size', () => {
    const geometry = geometryOf({ width: 225, height: 100 }, undefined, crop);
    expect(geometry).toEqual({
      width: 225,
      height: 100,
      cutout: { left: 0, top: 0, right: 224, bottom: 100 },
    });
    for (const numerics of ['exact', 'fast'] as const) {
      expect(madeSize(geometry, planned({ resize: undefined, numerics }))).toEqual({
        width: 224,
        height: 100,
      });
    }
  });

  it('makes all of it where libvips may be the one to resize', () => {
    const geometry = geometryOf({ width: 640, height: 480 }, shortestEdge, crop);
    expect(madeSize(geometry, planned({ numerics: 'fast' }))).toMatchObject({ width: 341, height: 256 });
  });

  it('makes all of a canvas', () => {
    const contain = { fit: 'contain', width: 300, height: 400, filter: 'bilinear' } as const;
    const geometry = geometryOf({ width: 640, height: 480 }, contain, crop);
    expect(geometry.cutout).toBeUndefined();
    expect(madeSize(geometry, planned({ resize: contain }))).toMatchObject({ width: 300, height: 400 });
  });
});
