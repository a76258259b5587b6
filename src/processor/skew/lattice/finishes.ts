import { type Gray, grays, toGray } from './grays.ts';
import type { Finish, Levels } from './hypothesis.ts';
import { isGray } from './is-gray.ts';
import { jpegQualitiesOf } from './jpeg-quality.ts';
import { type Encoding, encodedAndDecoded, inWords } from './recompression.ts';

/**
 * Changes of the framed picture.
 *
 * @param isGraySource - whether the source is gray. A picture of one channel of any other has been made gray before
 * @param picture - the given one: only gray pictures can come from a gray one
 * @param first - the id of the one that is tried first
 */
export function finishesOf(isGraySource: boolean, picture: Levels, first: string): readonly Finish[] {
  const { channels } = picture;
  const unchanged: Finish = { id: 'none', words: {}, apply: (framed) => inChannels(framed, channels) };
  const formulas = isGray(picture) ? grays.map((formula) => grayAfter(formula, channels, isGraySource)) : [];
  const encodings = [...jpegEncodingsOf(picture), ...webpEncodings].map((encoding) =>
    encodedAfter(encoding, unchanged),
  );
  const finishes = [unchanged, ...formulas, ...ranges(unchanged), ...encodings];
  return [...finishes.filter(({ id }) => id === first), ...finishes.filter(({ id }) => id !== first)];
}

/** A picture in a number of channels; undefined if it has others and is not gray. */
function inChannels(picture: Levels, channels: Levels['channels']): Levels | undefined {
  const { data } = picture;
  if (picture.channels === channels) return picture;
  if (picture.channels !== 1 || channels !== 3) return undefined;
  const repeated = new (data.constructor as Uint8ArrayConstructor)(data.length * 3);
  for (const [at, level] of data.entries()) repeated.fill(level, 3 * at, 3 * at + 3);
  return { ...picture, data: repeated, channels };
}

function grayAfter(formula: Gray, channels: Levels['channels'], isGraySource: boolean): Finish {
  return {
    id: formula.id,
    words: { grayscale: formula.words },
    resets: ['recolouring'],
    apply(framed) {
      const gray = framed.channels === 3 || isGraySource ? toGray(framed, formula) : undefined;
      return gray && inChannels(gray, channels);
    },
  };
}

/** Other ranges of the levels: black on white, and those of video (ITU-R BT.601, 16…235), applied or taken for full. */
function ranges({ apply }: Finish): readonly Finish[] {
  const ranged = (id: string, words: string, change: (level: number, white: number) => number): Finish => ({
    id,
    words: { range: words },
    isUnusual: true,
    async apply(framed) {
      const same = await apply(framed);
      const white = same?.white ?? 255;
      return same && { ...same, data: same.data.map((level) => change(level, white)) };
    },
  });
  const rounded = (level: number) => Math.min(255, Math.max(0, Math.round(level)));
  return [
    ranged('inverted', 'inverted, 255 − level', (level, white) => white - level),
    ranged('limited', 'limited, 16 to 235', (level) => rounded(16 + (level * 219) / 255)),
    ranged('expanded', 'expanded from 16 to 235', (level) => rounded(((level - 16) * 255) / 219)),
  ];
}

/** Qualities that are tried, of those that fit the traces in the given picture. */
const mostQualities = 4;

function jpegEncodingsOf(picture: Levels): readonly Encoding[] {
  const subsamplings = picture.channels === 1 ? (['4:2:0'] as const) : (['4:2:0', '4:4:4'] as const);
  return jpegQualitiesOf(picture, mostQualities).flatMap((quality) =>
    subsamplings.map((subsampling): Encoding => ({ format: 'JPEG', quality, subsampling })),
  );
}

/** Pillow's and sharp's default, and libwebp's. */
const webpEncodings: readonly Encoding[] = [80, 75].map((quality) => ({ format: 'WebP', quality }));

/** The resized picture was saved. */
function encodedAfter(encoding: Encoding, { apply }: Finish): Finish {
  const words = `${inWords(encoding)}, after the resize`;
  return {
    id: words,
    words: { recompression: words },
    isUnusual: true,
    isRefinement: true,
    needsWhole: true,
    async apply(framed) {
      const same = await apply(framed);
      if (same === undefined || same.channels === 4 || !(same.data instanceof Uint8Array)) return undefined;
      const decoded = await encodedAndDecoded({ ...same, data: same.data }, encoding);
      return decoded && { ...same, data: decoded.data };
    },
  };
}
