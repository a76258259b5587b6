import { sharp } from '../../codecs/libvips/sharp.ts';
import type { Pixels } from '../../image/pixels.ts';
import { type Gray, grays, toGray } from './grays.ts';
import type { Levels, Recolouring } from './hypothesis.ts';
import { isGray } from './is-gray.ts';
import { type Encoding, encodedAndDecoded, inWords } from './recompression.ts';

/**
 * Changes of the source's colours before the resize.
 *
 * @param isGraySource - whether the source is gray already
 * @param sourceArea - in pixels
 * @param picture - the given one: only gray pictures can come from a gray source
 * @param first - the id of the one that is tried first
 */
export function recolouringsOf(
  isGraySource: boolean,
  sourceArea: number,
  picture: Levels,
  first: string,
): readonly Recolouring[] {
  const formulas = isGray(picture) && !isGraySource ? [...grays.map(grayBefore), grayBySharp] : [];
  const recolourings = [unchanged, ...formulas, ...encodingsOf(sourceArea).map(encodedBefore)];
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

/** Pixels of all sources that are encoded again in a search, about: a second of CPU. */
const mostEncoded = 20_000_000;

/** Pillow's default is 75, OpenCV's 95, that of sharp and WebP 80, that of canvas in browsers 92. */
const usualEncodings: readonly Encoding[] = [
  ...[75, 95, 80, 90, 85, 92].map(jpeg420),
  { format: 'WebP', quality: 80 },
  ...[70, 60, 98, 50, 100, 40].map(jpeg420),
  { format: 'WebP', quality: 75 },
  ...[95, 90, 75].map((quality): Encoding => ({ format: 'JPEG', quality, subsampling: '4:4:4' })),
];

function jpeg420(quality: number): Encoding {
  return { format: 'JPEG', quality, subsampling: '4:2:0' };
}

/** The first ones that are affordable for a source. */
function encodingsOf(sourceArea: number): readonly Encoding[] {
  return usualEncodings.slice(0, Math.max(2, Math.floor(mostEncoded / sourceArea)));
}

/** The source was saved before it was resized. */
function encodedBefore(encoding: Encoding): Recolouring {
  const words = `${inWords(encoding)}, before the resize`;
  return {
    id: words,
    words: { recompression: words },
    isUnusual: true,
    isRefinement: true,
    apply: (pixels) => (pixels.channels === 4 ? undefined : encodedAndDecoded(pixels, encoding)),
    near: () => nearQualities(encoding).map(encodedBefore),
  };
}

function nearQualities(encoding: Encoding): readonly Encoding[] {
  return [-1, 1, -2, 2, -3, 3, -4, 4, -5, 5]
    .map((step) => ({ ...encoding, quality: encoding.quality + step }))
    .filter(({ quality }) => quality >= 1 && quality <= 100);
}
