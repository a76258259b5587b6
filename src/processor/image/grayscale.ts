import type { Library } from './kernels/kernels.ts';
import { libraryLuma } from './kernels/library-luma.ts';
import { luma } from './kernels/luma.ts';
import type { Pixels } from './pixels.ts';
import type { StepKind } from './step.ts';

/** One channel of Rec. 601 luma. */
export interface GrayscaleStep {
  readonly kind: 'grayscale';
  /** The library that defines the luma. Unset: Pillow. */
  readonly library?: Library | undefined;
}

export const grayscale: StepKind<GrayscaleStep> = {
  inWords: () => 'convert to grayscale by Rec. 601 luma',
  place: (_, input) => ({ ...input, colours: 1 }),
  run: ({ pixels }, { step: { library } }) =>
    library === undefined ? toLuma(pixels) : libraryLuma(pixels, library),
};

/**
 * Grayscale by Rec. 601 luma, rounded as Pillow's "L" mode:
 * Y = (19595·R + 38470·G + 7471·B + 2¹⁵) >> 16.
 *
 * sharp's greyscale() weighs linear light (pure red gives 127, not 76) and runs before resize().
 *
 * @param image - [height, width, channels] uint8, sRGB
 * @returns [height, width, 1] uint8, or [height, width, 2] with the image's alpha. A gray image is returned unchanged
 */
export function toLuma(image: Pixels): Pixels {
  switch (image.channels) {
    case 1:
    case 2:
      return image;
    case 3:
      return luma(image);
    case 4:
      return lumaWithAlpha(image);
  }
}

function lumaWithAlpha({ data, width, height }: Pixels): Pixels {
  const gray = new Uint8Array(width * height * 2);
  for (let from = 0, to = 0; from < data.length; from += 4, to += 2) {
    const [red = 0, green = 0, blue = 0, alpha = 0] = [
      data[from],
      data[from + 1],
      data[from + 2],
      data[from + 3],
    ];
    gray[to] = (19595 * red + 38470 * green + 7471 * blue + 0x8000) >> 16;
    gray[to + 1] = alpha;
  }
  return { data: gray, width, height, channels: 2 };
}
