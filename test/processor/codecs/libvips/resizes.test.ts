import { describe, expect, it } from 'vitest';
import { libvipsResizes } from '../../../../src/processor/codecs/libvips/resizes.ts';

/** Whether libvips resizes a source of a format and size with a filter, at each number of source pixels per output pixel. */
const sourcesPerPixel = [0.5, 1.49, 1.5, 8] as const;
const resizes = (...numbers: readonly (0 | 1)[]) => numbers.map(Boolean);
const never = resizes(0, 0, 0, 0);
const whenReduced = resizes(0, 0, 1, 1);

describe(libvipsResizes, () => {
  it.each([
    ['png', 640, 480, 'bilinear', never],
    ['png', 1024, 1023, 'lanczos', never],
    ['png', 1024, 1024, 'lanczos', whenReduced],
    ['png', 6000, 4000, 'bilinear', whenReduced],
    ['png', 6000, 4000, 'nearest', never],
    ['tiff', 640, 480, 'bicubic', never],
    ['tiff', 1600, 1200, 'bicubic', whenReduced],
    ['tiff', 1600, 1200, 'nearest', never],
    ['webp', 64, 64, 'bilinear', whenReduced],
    ['webp', 640, 480, 'nearest', whenReduced],
    ['jpeg', 64, 64, 'nearest', whenReduced],
    ['jpeg', 6000, 4000, 'bilinear', whenReduced],
  ] as const)('decides for %s of %d × %d, %s', (format, width, height, filter, expected) => {
    const decided = sourcesPerPixel.map((sourcePerPixel) =>
      libvipsResizes({ format, width, height }, { filter, sourcePerPixel }),
    );
    expect(decided).toEqual(expected);
  });
});
