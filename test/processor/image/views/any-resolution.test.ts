import { describe, expect, it } from 'vitest';
import { anyResolution } from '../../../../src/processor/image/views/any-resolution.ts';

const views = {
  kind: 'anyResolution',
  resolutions: [
    [672, 336],
    [336, 672],
    [672, 672],
    [336, 1008],
    [1008, 336],
  ].map(([height = 0, width = 0]) => ({ width, height })),
  whole: { width: 336, height: 336 },
  tile: 336,
  each: [],
  filter: 'bicubic',
} as const;

describe('views in any resolution', () => {
  it('begin with the whole image, out of proportion', () => {
    const [whole] = anyResolution.branches(views, { width: 640, height: 480 });
    expect(whole).toMatchObject({ steps: [{ kind: 'resize', fit: 'fill', width: 336, height: 336 }] });
    expect(whole?.tiles).toBeUndefined();
  });

  // image_processing_llava_next.py: [672, 672] keeps all 640 × 480 pixels of the image, and scales it by 1.05.
  it.each([
    [640, 480, [672, 504], [672, 672], [0, 84]],
    [1000, 333, [1008, 336], [1008, 336], [0, 0]],
    [333, 1000, [336, 1008], [336, 1008], [0, 0]],
  ])('place %i × %i in the best resolution', (width, height, inner, outer, [left, top]) => {
    const [, tiles] = anyResolution.branches(views, { width, height });
    expect(tiles?.steps).toMatchObject([
      { kind: 'resize', width: inner[0], height: inner[1] },
      { kind: 'pad', width: outer[0], height: outer[1], left, top },
    ]);
    expect(tiles?.tiles).toEqual({ width: 336, height: 336 });
  });
});
