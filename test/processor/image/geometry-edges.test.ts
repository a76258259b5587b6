import { describe, expect, it } from 'vitest';
import { geometryOf, outputSize } from '../../../src/processor/image/geometry.ts';

describe('geometryOf by edges', () => {
  const source = { width: 640, height: 427 };

  it.each([
    ['the shorter side', { fit: 'shortestEdge', shortestEdge: 90 }, { width: 134, height: 90 }],
    [
      'the shorter side and a limit for the longer one',
      { fit: 'shortestEdge', shortestEdge: 90, longestEdge: 131 },
      { width: 131, height: 87 },
    ],
    ['a box', { fit: 'within', maxWidth: 100, maxHeight: 100 }, { width: 100, height: 66 }],
  ] as const)('resizes the whole image by %s', (_what, plan, size) => {
    const geometry = geometryOf(source, { ...plan, filter: 'bilinear' });
    expect(geometry).toEqual(size);
    expect(outputSize(geometry)).toEqual(size);
  });

  it('says that a thin image comes to more than anyone wants, and leaves the limit to others', () => {
    const plan = { fit: 'shortestEdge', shortestEdge: 224, filter: 'bilinear' } as const;
    expect(geometryOf({ width: 1, height: 5000 }, plan)).toEqual({ width: 224, height: 1_120_000 });
  });
});
