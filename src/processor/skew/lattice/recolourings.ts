import { sharp } from '../../codecs/libvips/sharp.ts';
import type { Pixels } from '../../image/pixels.ts';
import { type Gray, grays, toGray } from './grays.ts';
import type { Levels, Recolouring } from './hypothesis.ts';
import { isGray } from './is-gray.ts';

/**
 * Changes of the source's colours before the resize.
 *
 * @param isGraySource - whether the source is gray already
 * @param picture - the given one: only gray pictures can come from a gray source
 * @param first - the id of the one that is tried first
 */
export function recolouringsOf(
  isGraySource: boolean,
  picture: Levels,
  first: string,
): readonly Recolouring[] {
  const formulas = isGray(picture) && !isGraySource ? [...grays.map(grayBefore), grayBySharp] : [];
  const recolourings = [unchanged, ...formulas];
  return [...recolourings.filter(({ id }) => id === first), ...recolourings.filter(({ id }) => id !== first)];
}

const unchanged: Recolouring = { id: 'none', words: {}, apply: (pixels) => pixels };

function grayBefore(gray: Gray): Recolouring {
  return {
    id: gray.id,
    words: { grayscale: `${gray.words}, before the resize` },
    resets: ['finish'],
    apply: (pixels) => (pixels.channels === 3 ? toGray(pixels, gray) : undefined),
  };
}

/** libvips weighs linear light, and sharp does it before the resize. */
const grayBySharp: Recolouring = {
  id: 'sharp',
  words: { grayscale: "sharp's greyscale, in linear light, before the resize" },
  resets: ['finish'],
  async apply(pixels) {
    const { data, width, height, channels } = pixels;
    if (channels !== 3) return undefined;
    const gray = await sharp(data, { raw: { width, height, channels }, limitInputPixels: false })
      .greyscale()
      .raw()
      .toBuffer();
    return { data: gray, width, height, channels: 1 } satisfies Pixels;
  },
};
