import { Failure } from '../../failures.ts';
import type { Cutout } from '../image/cutout.ts';
import { wholeOf } from '../image/cutout.ts';
import { dimensions, type Hypothesis, type Lattice, type Levels } from './lattice/hypothesis.ts';
import type { Renderer } from './render.ts';

/*
 * The search for the hypothesis that gives a picture. Trials are compared with small windows of the picture, where it has
 * the most detail. From the best hypotheses so far, each dimension is changed in turn, until nothing gets better; one
 * that gives the windows is then computed as a whole.
 *
 * It is bounded by its number of trials, not by a clock, so that equal requests get equal answers.
 */

/** The best hypothesis about a picture. */
export interface Found {
  readonly hypothesis: Hypothesis;
  /** Mean absolute difference of the whole picture, in levels. */
  readonly error: number;
  /** Choices of single dimensions that give the same picture. Empty unless `error` is 0. */
  readonly same: readonly Hypothesis[];
}

/** Trials of one search; each computes some hundred pixels. */
const maxTrials = 3000;

/** Hypotheses that are carried on from one round to the next. */
const beamWidth = 4;

const windowSide = 16;

/** Finds the hypothesis that gives a picture. @returns undefined if none applies */
export async function search(
  picture: Levels,
  lattice: Lattice,
  renderer: Renderer,
): Promise<Found | undefined> {
  const windows = windowsOf(picture);
  const scores = new Map<string, { readonly hypothesis: Hypothesis; readonly error: number }>();

  async function score(hypothesis: Hypothesis): Promise<void> {
    const key = idOf(hypothesis);
    if (scores.has(key) || scores.size >= maxTrials) return;
    scores.set(key, { hypothesis, error: await errorIn(picture, hypothesis, windows, renderer) });
  }
  const best = (count: number) => [...scores.values()].sort((a, b) => a.error - b.error).slice(0, count);

  const start = firstOf(lattice);
  for (const turn of lattice.turn) {
    for (const framing of lattice.framing) await score({ ...start, turn, framing });
  }
  for (let error = Number.POSITIVE_INFINITY; ; ) {
    const beam = best(beamWidth);
    const [first] = beam;
    if (first === undefined || first.error === 0 || first.error >= error) break;
    error = first.error;
    for (const { hypothesis } of beam) {
      for (const changed of neighboursOf(hypothesis, lattice)) await score(changed);
    }
  }
  const [first] = best(1);
  if (first === undefined || !Number.isFinite(first.error)) return undefined;
  const whole = [wholeOf(picture)];
  const error = await errorIn(picture, first.hypothesis, whole, renderer);
  if (error > 0) return { hypothesis: first.hypothesis, error, same: [] };
  const same: Hypothesis[] = [];
  for (const changed of neighboursOf(first.hypothesis, lattice)) {
    await score(changed);
    if (scores.get(idOf(changed))?.error !== 0) continue;
    if ((await errorIn(picture, changed, whole, renderer)) === 0) same.push(changed);
  }
  return { hypothesis: first.hypothesis, error, same };
}

function firstOf(lattice: Lattice): Hypothesis {
  return Object.fromEntries(dimensions.map((name) => [name, lattice[name][0]])) as unknown as Hypothesis;
}

function* neighboursOf(hypothesis: Hypothesis, lattice: Lattice): Generator<Hypothesis> {
  for (const name of dimensions) {
    for (const choice of lattice[name]) {
      if (choice.id !== hypothesis[name].id) yield { ...hypothesis, [name]: choice };
    }
  }
}

function idOf(hypothesis: Hypothesis): string {
  return dimensions.map((name) => hypothesis[name].id).join('|');
}

/** Mean absolute difference in the windows, in levels; infinite if the hypothesis does not apply. */
async function errorIn(
  picture: Levels,
  hypothesis: Hypothesis,
  windows: readonly Cutout[],
  renderer: Renderer,
): Promise<number> {
  let sum = 0;
  let count = 0;
  for (const part of windows) {
    const rendered = await renderer.render(hypothesis, part).catch((error: unknown) => {
      // A resize that takes too much work, or a file that this decoder refuses.
      if (error instanceof Failure) return undefined;
      throw error;
    });
    if (rendered === undefined || rendered.channels !== picture.channels) return Number.POSITIVE_INFINITY;
    sum += differenceIn(picture, rendered, part);
    count += rendered.data.length;
  }
  return sum / Math.max(1, count);
}

function differenceIn(picture: Levels, rendered: Levels, { left, top }: Cutout): number {
  const rowLength = rendered.width * rendered.channels;
  let sum = 0;
  for (let y = 0; y < rendered.height; y++) {
    const from = ((top + y) * picture.width + left) * picture.channels;
    for (let x = 0; x < rowLength; x++) {
      sum += Math.abs((picture.data[from + x] as number) - (rendered.data[y * rowLength + x] as number));
    }
  }
  return sum;
}

/** In each quarter of a picture, the window with the most detail. */
function windowsOf(picture: Levels): readonly Cutout[] {
  const { width, height } = picture;
  const [middleX, middleY] = [Math.floor(width / 2), Math.floor(height / 2)];
  const quarters = [
    { left: 0, top: 0, right: middleX, bottom: middleY },
    { left: middleX, top: 0, right: width, bottom: middleY },
    { left: 0, top: middleY, right: middleX, bottom: height },
    { left: middleX, top: middleY, right: width, bottom: height },
  ];
  return quarters
    .filter(({ left, right, top, bottom }) => left < right && top < bottom)
    .map((quarter) => {
      let [most, best] = [-1, quarter];
      for (let top = quarter.top; top < quarter.bottom; top += windowSide) {
        for (let left = quarter.left; left < quarter.right; left += windowSide) {
          const part = {
            left,
            top,
            right: Math.min(quarter.right, left + windowSide),
            bottom: Math.min(quarter.bottom, top + windowSide),
          };
          const detail = detailOf(picture, part);
          if (detail > most) [most, best] = [detail, part];
        }
      }
      return best;
    });
}

/** Sum of the absolute differences of neighbouring levels in a row. */
function detailOf({ data, width, channels }: Levels, { left, top, right, bottom }: Cutout): number {
  let sum = 0;
  for (let y = top; y < bottom; y++) {
    for (let at = (y * width + left + 1) * channels; at < (y * width + right) * channels; at++) {
      sum += Math.abs((data[at] as number) - (data[at - channels] as number));
    }
  }
  return sum;
}
