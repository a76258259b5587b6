import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { ResizeFit } from '../../../src/processor/image/resize.ts';
import { resizedSize } from '../../../src/processor/image/resized-size.ts';

type Size = readonly [width: number, height: number];

const resized = ([width, height]: Size, fit: ResizeFit) => resizedSize({ width, height }, fit);

const place = (source: Size, fit: 'fill' | 'cover' | 'inside' | 'outside', [width, height]: Size) =>
  resized(source, { fit, width, height });

interface Golden {
  readonly source: Size;
  readonly target: Size;
  readonly cover: readonly number[];
  readonly inside: Size;
  readonly outside: Size;
}

const { goldens } = JSON.parse(
  readFileSync(new URL('../../parity/geometry-goldens.json', import.meta.url), 'utf8'),
) as { goldens: Golden[] };

describe(resizedSize, () => {
  // image.resize((1024, 768))
  it('fill: gives the box its size, whatever the shape', () => {
    expect(place([300, 300], 'fill', [1024, 768])).toEqual({ width: 1024, height: 768 });
  });

  // ImageOps.contain(image, (100, 100))
  it('inside: the longer side equals the box, the other one is shorter', () => {
    expect(place([640, 480], 'inside', [100, 100])).toEqual({ width: 100, height: 75 });
    expect(place([480, 640], 'inside', [100, 100])).toEqual({ width: 75, height: 100 });
  });

  // ImageOps.cover(image, (100, 100))
  it('outside: the shorter side equals the box, the other one is longer', () => {
    expect(place([640, 480], 'outside', [96, 96])).toEqual({ width: 128, height: 96 });
    expect(place([480, 640], 'outside', [96, 96])).toEqual({ width: 96, height: 128 });
  });

  it.each(['inside', 'outside'] as const)('%s: enlarges small images', (fit) => {
    expect(place([4, 4], fit, [100, 100])).toEqual({ width: 100, height: 100 });
  });

  // 4 × 2 in a width of 5 and 3: the height is 2.5 and 1.5, and Python's round() gives 2 for both.
  it('rounds halves to the even neighbour, as Python does', () => {
    expect(place([4, 2], 'inside', [5, 5])).toEqual({ width: 5, height: 2 });
    expect(place([4, 2], 'inside', [3, 3])).toEqual({ width: 3, height: 2 });
  });

  it('inside: no side is shorter than a pixel', () => {
    expect(place([1000, 1], 'inside', [100, 100])).toEqual({ width: 100, height: 1 });
    expect(place([1, 1000], 'inside', [100, 100])).toEqual({ width: 1, height: 100 });
  });

  // ImageOps.fit(image, (100, 100)): 640 × 480 has 160 columns too many, 80 on either side.
  it('cover: cuts the excess evenly on both sides', () => {
    expect(place([640, 480], 'cover', [100, 100])).toEqual({
      width: 100,
      height: 100,
      box: [80, 0, 560, 480],
    });
    expect(place([480, 640], 'cover', [100, 100])).toEqual({
      width: 100,
      height: 100,
      box: [0, 80, 480, 560],
    });
  });

  // 3 × 3 into 4 × 2: 1.5 rows of the 3 are used, from 0.75 on.
  it('cover: cuts within pixels if needed', () => {
    expect(place([3, 3], 'cover', [4, 2])).toEqual({ width: 4, height: 2, box: [0, 0.75, 3, 2.25] });
  });

  it('cover: uses all of an image with the aspect ratio of the box', () => {
    expect(place([640, 480], 'cover', [4, 3])).toEqual({ width: 4, height: 3, box: [0, 0, 640, 480] });
  });

  it(`gives ${goldens.length} images of many sizes the size that Pillow gives them`, () => {
    for (const { source, target, cover, inside, outside } of goldens) {
      const found = {
        source,
        target,
        cover: place(source, 'cover', target).box,
        inside: place(source, 'inside', target),
        outside: place(source, 'outside', target),
      };
      expect(found).toEqual({
        source,
        target,
        cover,
        inside: { width: inside[0], height: inside[1] },
        outside: { width: outside[0], height: outside[1] },
      });
    }
  });

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
  ] as const)('resizes an image of 640 × 427 by %s', (_by, fit, size) => {
    expect(resized([640, 427], fit)).toEqual(size);
  });

  it.each([
    // 2.5, 3.5 and 0.5 round to even, but never to 0.
    [[4, 5], { fit: 'width', width: 2 }, [2, 2]],
    [[4, 7], { fit: 'width', width: 2 }, [2, 4]],
    [[5, 4], { fit: 'height', height: 2 }, [2, 2]],
    [[1000, 1], { fit: 'width', width: 500 }, [500, 1]],
    [[1, 9000], { fit: 'height', height: 9 }, [1, 9]],
    // 1 / 49 * 49 is less than 1 in floating point.
    [[49, 1], { fit: 'width', width: 1225 }, [1225, 25]],
  ] as const)('rounds the other side of %j by %j half to even', (source, fit, [width, height]) => {
    expect(resized(source, fit)).toEqual({ width, height });
  });

  it('returns a size over every limit for a thin image, which limits.ts refuses', () => {
    expect(resized([1, 5000], { fit: 'shortestEdge', shortestEdge: 224 })).toEqual({
      width: 224,
      height: 1_120_000,
    });
  });
});
