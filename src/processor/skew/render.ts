import { orient, sizeUpright } from '../codecs/orient.ts';
import { type Cutout, cutUpright, intersection, seenFrom, sizeOfCutout, wholeOf } from '../image/cutout.ts';
import { storedPicture } from '../image/picture.ts';
import type { Pixels } from '../image/pixels.ts';
import type { Size } from '../image/shortest-edge.ts';
import { runSteps } from '../image/stages.ts';
import {
  type Colour,
  type Framing,
  type Hypothesis,
  idOf,
  type Levels,
  type SkewSource,
  sourceIdOf,
  type Window,
} from './lattice/hypothesis.ts';

/** Computes the pictures of hypotheses about one source. */
export interface Renderer {
  /**
   * @param part - of the result, in its pixels
   * @returns [height, width, 1 | 3 | 4] levels in the order of the tensor's channels; undefined if the hypothesis does not apply
   */
  render(hypothesis: Hypothesis, part: Cutout): Promise<Levels | undefined>;
}

/** Sources that are kept, so that trials of other dimensions need not make them again. */
const keptSources = 3;

export function createRenderer(file: SkewSource): Renderer {
  const sources = new Map<string, Promise<Pixels | undefined>>();
  // The windows of one hypothesis are asked for one after another.
  const lastPlanned = keepLast();
  const lastWhole = keepLast();

  async function plannedPart(
    source: Pixels,
    hypothesis: Hypothesis,
    part: Cutout,
  ): Promise<Levels | undefined> {
    const key = `${sourceIdOf(hypothesis)}|${hypothesis.framing.id}|${hypothesis.resampler.id}`;
    const picture = await lastPlanned(key, () => planned(source, hypothesis));
    return picture && cutLevels(picture, part);
  }

  /** The pixels that are resampled. */
  function sourceOf(hypothesis: Hypothesis): Promise<Pixels | undefined> {
    return kept(sourceIdOf(hypothesis), () => prepare(hypothesis, file));
  }

  function onCanvas(hypothesis: Hypothesis): Promise<Pixels | undefined> {
    const { canvas } = hypothesis.framing;
    if (canvas === undefined) return sourceOf(hypothesis);
    return kept(`${sourceIdOf(hypothesis)}|${JSON.stringify(canvas)}`, async () => {
      const source = await sourceOf(hypothesis);
      if (source === undefined) return undefined;
      const window = scaledWindow(canvas, sizeUpright(file.header, hypothesis.turn.orientation), source);
      return placed(source, window, wholeOf(window)) as Pixels;
    });
  }

  function kept(key: string, make: () => Promise<Pixels | undefined>): Promise<Pixels | undefined> {
    const known = sources.get(key);
    const made = known ?? make();
    // The one that was used last is at the end.
    sources.delete(key);
    sources.set(key, made);
    const [oldest] = sources.keys();
    if (sources.size > keptSources && oldest !== undefined) sources.delete(oldest);
    return made;
  }

  /** A part of the result; all of it if the finish needs that. */
  async function finished(hypothesis: Hypothesis, part: Cutout): Promise<Levels | undefined> {
    const source = await onCanvas(hypothesis);
    const { steps } = hypothesis.framing;
    const framed =
      source &&
      (steps === undefined
        ? await frame(source, hypothesis, part, file)
        : await plannedPart(source, hypothesis, part));
    const { transparency, finish } = hypothesis;
    const opaque = framed && transparency.after ? transparency.after(framed) : framed;
    return opaque && (await finish.apply(opaque));
  }

  return {
    async render(hypothesis, part) {
      const { finish, channelOrder, framing } = hypothesis;
      const result = finish.needsWhole
        ? await lastWhole(idOf(hypothesis), () => finished(hypothesis, wholeOf(framing.shown)))
        : await finished(hypothesis, part);
      if (result === undefined) return undefined;
      return reorder(finish.needsWhole ? cutLevels(result, part) : result, channelOrder.channels);
    },
  };
}

/** Keeps the last picture. */
function keepLast(): (key: string, make: () => Promise<Levels | undefined>) => Promise<Levels | undefined> {
  let last: { readonly key: string; readonly picture: Promise<Levels | undefined> } | undefined;
  return (key, make) => {
    if (last?.key !== key) last = { key, picture: make() };
    return last.picture;
  };
}

async function prepare(hypothesis: Hypothesis, file: SkewSource): Promise<Pixels | undefined> {
  const { decoding, turn, transparency, recolouring } = hypothesis;
  const decoded = await decoding.decode(file);
  if (decoded === undefined) return undefined;
  return await recolouring.apply(transparency.before(orient(decoded, turn.orientation)));
}

/** The result of several steps, as they are planned. */
async function planned(source: Pixels, { framing, resampler }: Hypothesis): Promise<Levels | undefined> {
  const { steps = [] } = framing;
  const { step } = resampler;
  const [first] = steps;
  // The steps are placed on a source of full size.
  const isFullSize = first?.input.width === source.width && first.input.height === source.height;
  if (step === undefined || !isFullSize) return undefined;
  const resized = steps.map((placed) =>
    placed.step.kind === 'resize'
      ? { ...placed, step: { ...placed.step, library: undefined, ...step } }
      : placed,
  );
  const { pixels } = await runSteps(storedPicture(source, 1), resized, async (_, run) => await run());
  return { ...pixels, channels: pixels.channels as Levels['channels'] };
}

/** A part of the result: resampled pixels where it shows the source, and padding. */
async function frame(
  source: Pixels,
  { framing, resampler, ...before }: Hypothesis,
  part: Cutout,
  file: SkewSource,
): Promise<Levels | undefined> {
  const { shown } = framing;
  const needed = seenFrom(part, { left: -shown.left, top: -shown.top });
  const computed = intersection(needed, wholeOf(framing.resized));
  if (computed === undefined)
    return canvasOf(sizeOfCutout(part), shown.pad, source.channels as Levels['channels'], Uint8Array);
  const whole = framing.canvas ?? sizeUpright(file.header, before.turn.orientation);
  const box = scaledBox(framing.box, whole, source);
  const picture = await resampler.run(source, { ...framing, box }, computed, { ...file, ...before });
  return picture && placedPart(picture, computed, needed, shown.pad);
}

/** A box of the source in one that its decoder has scaled. */
function scaledBox([left, top, right, bottom]: Framing['box'], whole: Size, scaled: Size): Framing['box'] {
  const across = (x: number) => (x * scaled.width) / whole.width;
  const down = (y: number) => (y * scaled.height) / whole.height;
  return [across(left), down(top), across(right), down(bottom)];
}

function scaledWindow({ left, top, width, height, pad }: Window, whole: Size, scaled: Size): Window {
  const box = scaledBox([left, top, left + width, top + height], whole, scaled);
  const [x, y, right, bottom] = box.map(Math.round) as [number, number, number, number];
  return { left: x, top: y, width: right - x, height: bottom - y, pad };
}

/** A window of a picture. */
function placed(picture: Levels | Pixels, window: Window, part: Cutout): Levels {
  const needed = seenFrom(part, { left: -window.left, top: -window.top });
  const visible = intersection(needed, wholeOf(picture)) ?? { left: 0, top: 0, right: 1, bottom: 1 };
  const cut = {
    ...cutUpright(picture as Pixels, 1, visible),
    channels: picture.channels as Levels['channels'],
  };
  return placedPart(cut, visible, needed, window.pad);
}

/** @param available - the part that the picture is, in the same coordinates as the needed one */
function placedPart(picture: Levels, available: Cutout, needed: Cutout, pad: Colour): Levels {
  const size = sizeOfCutout(needed);
  const { width, height, channels } = picture;
  if (width === size.width && height === size.height) return picture;
  const colour = picture.white === 1 ? (pad.map((level) => level / 255) as unknown as Colour) : pad;
  const canvas = canvasOf(size, colour, channels, picture.data.constructor as Uint8ArrayConstructor);
  const padded = { ...picture, ...canvas };
  const [left, top] = [available.left - needed.left, available.top - needed.top];
  for (let y = 0; y < height; y++) {
    const row = picture.data.subarray(y * width * channels, (y + 1) * width * channels);
    padded.data.set(row, ((top + y) * size.width + left) * channels);
  }
  return padded;
}

function canvasOf(
  { width, height }: Size,
  pad: Colour,
  channels: Levels['channels'],
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
  const data = picture.data.slice(0, width * height * channels);
  for (let y = 0; y < height; y++) {
    const from = ((part.top + y) * picture.width + part.left) * channels;
    data.set(picture.data.subarray(from, from + width * channels), y * width * channels);
  }
  return { ...picture, data, width, height };
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
