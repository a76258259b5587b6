import { orient } from '../codecs/orient.ts';
import { flatten } from '../image/alpha.ts';
import { type Cutout, intersection, seenFrom, sizeOfCutout, wholeOf } from '../image/cutout.ts';
import type { Pixels } from '../image/pixels.ts';
import type { Framing, Hypothesis, Levels, SkewSource } from './lattice/hypothesis.ts';

/** Computes the pictures of hypotheses about one source. */
export interface Renderer {
  /**
   * @param part - of the result, in its pixels
   * @returns [height, width, 1 | 3] levels in the order of the tensor's channels; undefined if the hypothesis does not apply
   */
  render(hypothesis: Hypothesis, part: Cutout): Promise<Levels | undefined>;
}

/** Sources that are kept, so that trials of other dimensions need not make them again. */
const keptSources = 3;

export function createRenderer(file: SkewSource): Renderer {
  const sources = new Map<string, Promise<Pixels | undefined>>();

  function sourceOf(hypothesis: Hypothesis): Promise<Pixels | undefined> {
    const { decoding, turn, transparency, recolouring } = hypothesis;
    const key = [decoding, turn, transparency, recolouring].map(({ id }) => id).join('|');
    const kept = sources.get(key);
    if (kept !== undefined) return kept;
    const made = prepare(hypothesis, file);
    sources.set(key, made);
    const [oldest] = sources.keys();
    if (sources.size > keptSources && oldest !== undefined) sources.delete(oldest);
    return made;
  }

  return {
    async render(hypothesis, part) {
      const source = await sourceOf(hypothesis);
      if (source === undefined) return undefined;
      const { framing, finish, channelOrder } = hypothesis;
      const needed = finish.needsWhole ? wholeOf(framing.size) : part;
      const framed = await frame(source, hypothesis, needed, file);
      if (framed === undefined) return undefined;
      const finished = await finish.apply(framed);
      const shown = finish.needsWhole ? cutLevels(finished, part) : finished;
      return reorder(shown, channelOrder.channels);
    },
  };
}

async function prepare(hypothesis: Hypothesis, file: SkewSource): Promise<Pixels | undefined> {
  const { decoding, turn, transparency, recolouring } = hypothesis;
  const decoded = await decoding.decode(file);
  if (decoded === undefined) return undefined;
  return recolouring.apply(flatten(orient(decoded, turn.orientation), transparency.alpha));
}

/** The part of the result: resampled pixels where it shows the source, and padding. */
async function frame(
  source: Pixels,
  { framing, resampler }: Hypothesis,
  part: Cutout,
  file: SkewSource,
): Promise<Levels | undefined> {
  const shown = intersection(
    seenFrom(part, { left: -framing.left, top: -framing.top }),
    wholeOf(framing.resized),
  );
  const size = sizeOfCutout(part);
  if (shown === undefined) return canvas(size, framing, 3, Uint8Array);
  const picture = await resampler.run(source, framing, shown, file);
  if (picture === undefined || (picture.width === size.width && picture.height === size.height))
    return picture;
  const padded = canvas(size, framing, picture.channels, picture.data.constructor as Uint8ArrayConstructor);
  const [left, top] = [shown.left - framing.left - part.left, shown.top - framing.top - part.top];
  const rowLength = picture.width * picture.channels;
  for (let y = 0; y < picture.height; y++) {
    const row = picture.data.subarray(y * rowLength, (y + 1) * rowLength);
    padded.data.set(row, ((top + y) * size.width + left) * picture.channels);
  }
  return padded;
}

function canvas(
  { width, height }: Framing['size'],
  { pad }: Framing,
  channels: 1 | 3,
  arrayType: Uint8ArrayConstructor | Float32ArrayConstructor,
): Levels {
  const data = new arrayType(width * height * channels);
  if (pad.some((level) => level !== 0)) {
    for (let at = 0; at < data.length; at += channels) data.set(pad.slice(0, channels), at);
  }
  return { data, width, height, channels };
}

function cutLevels(picture: Levels, part: Cutout): Levels {
  const { width, height } = sizeOfCutout(part);
  if (width === picture.width && height === picture.height) return picture;
  const { channels } = picture;
  const rows = Array.from({ length: height }, (_, y) => {
    const from = ((part.top + y) * picture.width + part.left) * channels;
    return picture.data.subarray(from, from + width * channels);
  });
  const data = picture.data.slice(0, width * height * channels);
  for (const [y, row] of rows.entries()) data.set(row, y * width * channels);
  return { data, width, height, channels };
}

function reorder(picture: Levels, channels: readonly number[]): Levels {
  if (channels.every((channel, index) => channel === index)) return picture;
  const data = picture.data.slice();
  const count = picture.channels;
  for (let at = 0; at < data.length; at += count) {
    for (const [index, channel] of channels.entries())
      data[at + index] = picture.data[at + channel] as number;
  }
  return { ...picture, data };
}
