import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { geometryOf, outputSize } from '../../../src/processor/image/geometry.ts';
import type { Fit } from '../../../src/processor/image/plan.ts';

type Size = readonly [width: number, height: number];

const place = ([width, height]: Size, fit: Fit, [targetWidth, targetHeight]: Size) =>
  geometryOf({ width, height }, { width: targetWidth, height: targetHeight, fit, filter: 'bilinear' });

interface Golden {
  readonly source: Size;
  readonly target: Size;
  readonly cover: readonly number[];
  readonly inside: Size;
  readonly outside: Size;
  readonly contain: readonly [width: number, height: number, left: number, top: number];
}

const { goldens } = JSON.parse(
  readFileSync(new URL('../../parity/geometry-goldens.json', import.meta.url), 'utf8'),
) as { goldens: Golden[] };

describe(geometryOf, () => {
  it('keeps the size where none was asked for', () => {
    expect(geometryOf({ width: 640, height: 480 }, undefined)).toEqual({ width: 640, height: 480 });
  });

  // image.resize((1024, 768))
  it('fill: gives the box its size, whatever the shape', () => {
    expect(place([300, 300], 'fill', [1024, 768])).toEqual({ width: 1024, height: 768 });
  });

  // ImageOps.contain(image, (100, 100))
  it('inside: the longer side meets the box, the other one gives way', () => {
    expect(place([640, 480], 'inside', [100, 100])).toEqual({ width: 100, height: 75 });
    expect(place([480, 640], 'inside', [100, 100])).toEqual({ width: 75, height: 100 });
  });

  // ImageOps.cover(image, (100, 100))
  it('outside: the shorter side meets the box, the other one sticks out', () => {
    expect(place([640, 480], 'outside', [96, 96])).toEqual({ width: 128, height: 96 });
    expect(place([480, 640], 'outside', [96, 96])).toEqual({ width: 96, height: 128 });
  });

  it.each(['inside', 'outside'] as const)('%s: makes small images larger', (fit) => {
    expect(place([4, 4], fit, [100, 100])).toEqual({ width: 100, height: 100 });
  });

  // 4 × 2 in a width of 5 and 3: the height is 2.5 and 1.5, and Python's round() gives 2 for both.
  it('rounds halves to the even neighbour, as Python does', () => {
    expect(place([4, 2], 'inside', [5, 5])).toEqual({ width: 5, height: 2 });
    expect(place([4, 2], 'inside', [3, 3])).toEqual({ width: 3, height: 2 });
  });

  it.each(['inside', 'contain'] as const)('%s: no side becomes smaller than a pixel', (fit) => {
    expect(place([1000, 1], fit, [100, 100])).toMatchObject({ width: 100, height: 1 });
    expect(place([1, 1000], fit, [100, 100])).toMatchObject({ width: 1, height: 100 });
  });

  // ImageOps.fit(image, (100, 100)): 640 × 480 has 160 columns too many, 80 on either side.
  it('cover: cuts off evenly on both sides what sticks out', () => {
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
  it('cover: cuts through pixels where it has to', () => {
    expect(place([3, 3], 'cover', [4, 2])).toEqual({ width: 4, height: 2, box: [0, 0.75, 3, 2.25] });
  });

  it('cover: takes all of an image that has the shape of the box', () => {
    expect(place([640, 480], 'cover', [4, 3])).toEqual({ width: 4, height: 3, box: [0, 0, 640, 480] });
  });

  // ImageOps.pad(image, (100, 100))
  it('contain: centres the image on a canvas of the size of the box', () => {
    expect(place([640, 480], 'contain', [100, 100])).toEqual({
      width: 100,
      height: 75,
      canvas: { width: 100, height: 100, left: 0, top: 12 },
    });
    expect(place([480, 640], 'contain', [100, 100])).toEqual({
      width: 75,
      height: 100,
      canvas: { width: 100, height: 100, left: 12, top: 0 },
    });
  });

  it('contain: needs no canvas for an image that has the shape of the box', () => {
    expect(place([640, 480], 'contain', [4, 3])).toEqual({ width: 4, height: 3 });
  });

  it(`puts ${goldens.length} images of many sizes where Pillow puts them`, () => {
    for (const { source, target, cover, inside, outside, contain } of goldens) {
      const [width, height, left, top] = contain;
      const [canvasWidth, canvasHeight] = target;
      const isWhole = width === canvasWidth && height === canvasHeight;
      const canvas = { width: canvasWidth, height: canvasHeight, left, top };
      const found = {
        source,
        target,
        cover: place(source, 'cover', target).box,
        inside: place(source, 'inside', target),
        outside: place(source, 'outside', target),
        contain: place(source, 'contain', target),
      };
      expect(found).toEqual({
        source,
        target,
        cover,
        inside: { width: inside[0], height: inside[1] },
        outside: { width: outside[0], height: outside[1] },
        contain: isWhole ? { width, height } : { width, height, canvas },
      });
    }
  });
});

describe(outputSize, () => {
  it('is the canvas where there is one', () => {
    expect(outputSize(place([640, 480], 'contain', [100, 100]))).toMatchObject({ width: 100, height: 100 });
    expect(outputSize(place([640, 480], 'inside', [100, 100]))).toMatchObject({ width: 100, height: 75 });
  });
});
