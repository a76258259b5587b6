import { Failure } from '../../failures.ts';
import { type Cutout, wholeOf } from '../image/cutout.ts';
import {
  dimensions,
  expectedOf,
  type Hypothesis,
  idOf,
  type Lattice,
  type Levels,
} from './lattice/hypothesis.ts';
import type { Renderer } from './render.ts';
import type { RecoveredPicture } from './values/recovered.ts';
import { windowsOf, worstWindow } from './windows.ts';

/*
 * The trials of a search: hypotheses, and how far their pictures are from the given one in its windows.
 */

/** A hypothesis that was tried, and its mean absolute difference in the windows, in levels. */
export interface Trial {
  readonly hypothesis: Hypothesis;
  readonly error: number;
}

/** Trials of one search until the end of each stage; each computes about a thousand pixels. */
const maxTrials = { usual: 3000, unusual: 4000, all: 6000 } as const;

/** Mean difference in levels from which on a resampler is not worth the time of a whole picture. */
const hopelessError = 8;

/** The trials of one search. */
export interface Trials {
  /** Sets the limit of trials to that of a stage. */
  begin(stage: keyof typeof maxTrials): void;
  /** Tries hypotheses that have not been tried, as far as the limit permits. */
  all(hypotheses: readonly Hypothesis[]): Promise<void>;
  /** The best trials, those nearer to the expected tensor first. */
  best(count: number, isMeant?: (hypothesis: Hypothesis) => boolean): readonly Trial[];
  givesWindows(hypothesis: Hypothesis): Promise<boolean>;
  wholeOf(hypothesis: Hypothesis): Promise<{ readonly error: number; readonly worst: Cutout }>;
  /** Forgets all trials: they are compared in one window more. */
  addWindow(window: Cutout): void;
}

export function createTrials(picture: RecoveredPicture, lattice: Lattice, renderer: Renderer): Trials {
  const expected = expectedOf(lattice);
  const windows = [...windowsOf(picture)];
  const trials = new Map<string, Trial & { readonly departures: number }>();
  let count = 0;
  let limit: number = maxTrials.all;
  let hasCheapExplanation = false;

  /** Resamplers that compute whole pictures are tried only where one that is near to them is near. */
  async function isHopeless(hypothesis: Hypothesis): Promise<boolean> {
    const { nearTo } = hypothesis.resampler;
    const near = nearTo === undefined ? undefined : lattice.resampler.find(({ id }) => id === nearTo);
    if (near === undefined) return false;
    if (hasCheapExplanation) return true;
    const nearby = { ...hypothesis, resampler: near };
    await attempt(nearby);
    const error = trials.get(idOf(nearby))?.error ?? Number.POSITIVE_INFINITY;
    return error === 0 || error > hopelessError;
  }

  async function attempt(hypothesis: Hypothesis): Promise<void> {
    const key = idOf(hypothesis);
    if (trials.has(key) || count >= limit || (await isHopeless(hypothesis))) return;
    count++;
    const departures = dimensions.filter((name) => hypothesis[name].id !== expected[name].id).length;
    const error = await errorIn(picture, hypothesis, windows, renderer);
    trials.set(key, { hypothesis, departures, error });
    hasCheapExplanation ||= error === 0 && hypothesis.resampler.nearTo === undefined;
  }

  return {
    begin(stage) {
      limit = maxTrials[stage];
    },
    async all(hypotheses) {
      for (const hypothesis of hypotheses) await attempt(hypothesis);
    },
    best: (count, isMeant = () => true) =>
      [...trials.values()]
        .filter(({ error, hypothesis }) => Number.isFinite(error) && isMeant(hypothesis))
        .sort((a, b) => a.error - b.error || a.departures - b.departures)
        .slice(0, count),
    async givesWindows(hypothesis) {
      await attempt(hypothesis);
      return trials.get(idOf(hypothesis))?.error === 0;
    },
    async wholeOf(hypothesis) {
      const rendered = await rendering(hypothesis, wholeOf(picture), renderer);
      if (rendered === undefined || rendered.channels !== picture.channels) {
        return { error: Number.POSITIVE_INFINITY, worst: wholeOf(picture) };
      }
      return {
        error: sumOfDifferences(picture, rendered, { left: 0, top: 0 }) / picture.data.length,
        worst: worstWindow(picture, rendered),
      };
    },
    addWindow(window) {
      windows.push(window);
      trials.clear();
      hasCheapExplanation = false;
    },
  };
}

/** Mean absolute difference in the windows, in levels; infinite if the hypothesis does not apply. */
async function errorIn(
  picture: RecoveredPicture,
  hypothesis: Hypothesis,
  windows: readonly Cutout[],
  renderer: Renderer,
): Promise<number> {
  let sum = 0;
  let count = 0;
  for (const part of windows) {
    const rendered = await rendering(hypothesis, part, renderer);
    if (rendered === undefined || rendered.channels !== picture.channels) return Number.POSITIVE_INFINITY;
    sum += sumOfDifferences(picture, rendered, part);
    count += rendered.data.length;
  }
  return sum / Math.max(1, count);
}

/** @returns undefined also for a resize that takes too much work, and for a file that a decoder refuses */
async function rendering(
  hypothesis: Hypothesis,
  part: Cutout,
  renderer: Renderer,
): Promise<Levels | undefined> {
  try {
    return await renderer.render(hypothesis, part);
  } catch (error) {
    if (error instanceof Failure) return undefined;
    throw error;
  }
}

/** @param at - where the rendered part begins in the picture */
function sumOfDifferences(
  picture: RecoveredPicture,
  rendered: Levels,
  at: { left: number; top: number },
): number {
  const { channels, distance } = picture;
  const rowLength = rendered.width * channels;
  const scale = 255 / (rendered.white ?? 255);
  let sum = 0;
  for (let y = 0; y < rendered.height; y++) {
    const from = ((at.top + y) * picture.width + at.left) * channels;
    for (let x = 0; x < rowLength; x++) {
      const own = picture.data[from + x] as number;
      const other = (rendered.data[y * rowLength + x] as number) * scale;
      sum += distance === undefined ? Math.abs(own - other) : distance(own, other, x % channels);
    }
  }
  return sum;
}
