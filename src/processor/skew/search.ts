import { Failure } from '../../failures.ts';
import { layingOf } from '../codecs/orient.ts';
import { type Cutout, wholeOf } from '../image/cutout.ts';
import {
  type Choice,
  dimensions,
  expectedOf,
  type Framing,
  type Hypothesis,
  type Lattice,
  type Levels,
  type Turn,
} from './lattice/hypothesis.ts';
import type { Renderer } from './render.ts';
import type { RecoveredPicture } from './values/recovered.ts';
import { windowsOf, worstWindow } from './windows.ts';

/*
 * The search for the hypothesis that gives a picture.
 *
 * 1. Every framing is tried with the other choices of the expected tensor; the best ones stay.
 * 2. From the best hypotheses so far, each dimension is changed in turn, until nothing gets better: first those that leave
 *    the source as it is, because another source is decoded or converted as a whole.
 * 3. A hypothesis that gives the windows is computed as a whole. Where it differs a window is added, and the search goes on.
 *
 * Trials are compared only in windows of the picture, where it has the most detail. The search is bounded by the number of
 * its trials, not by a clock, so that equal requests get equal responses.
 */

/** The best hypothesis about a picture. */
export interface Found {
  readonly hypothesis: Hypothesis;
  /** Mean absolute difference of the whole picture, in levels. */
  readonly error: number;
  /** Hypotheses that differ in one choice and give the same picture. Empty unless `error` is 0. */
  readonly same: readonly Hypothesis[];
}

interface Trial {
  readonly hypothesis: Hypothesis;
  readonly error: number;
}

/** Trials of one search until the end of each stage; each computes about a thousand pixels. */
const maxTrials = { usual: 3000, unusual: 4000, all: 6000 } as const;

/** Hypotheses that are carried on from one round to the next. */
const beamWidth = 4;

/** The same where another source has to be made. */
const sourceBeamWidth = 2;

/** The same for unusual choices, which change a picture less than another resampler does. */
const unusualBeamWidth = 8;

/** Framings that are tried with other choices than those of the expected tensor. */
const keptFramings = 12;

/** Framings of turns that hardly anybody makes, the most usual ones. */
const usualFramings = 8;

/** Windows that may be added because a hypothesis gives all others, but not the whole picture. */
const maxAddedWindows = 4;

/** Treatments of transparency that are tried with every framing: the expected one, dropped, white and black. */
const firstTransparencies = 4;

/** Mean difference in levels from which on a framing is taken for a wrong one. */
const wrongFraming = 0.5;

/** Mean difference in levels below which refinements are tried: codecs change a picture by a few levels. */
const nearMiss = 10;

/** Mean difference in levels from which on a resampler is not worth the time of a whole picture. */
const hopelessError = 8;

/** Finds the hypothesis that gives a picture. @returns undefined if none applies */
export async function search(
  picture: RecoveredPicture,
  lattice: Lattice,
  renderer: Renderer,
): Promise<Found | undefined> {
  const trials = createTrials(picture, lattice, renderer);
  for (let added = 0; ; added++) {
    const best = await descend(lattice, trials);
    if (best === undefined) return undefined;
    const whole = await trials.wholeOf(best.hypothesis);
    if (whole.error > 0 && best.error === 0 && added < maxAddedWindows) {
      trials.addWindow(whole.worst);
      continue;
    }
    if (whole.error > 0) return { hypothesis: best.hypothesis, error: whole.error, same: [] };
    const simplest = await simplify(best.hypothesis, lattice, trials);
    return { hypothesis: simplest, error: 0, same: await equivalents(simplest, lattice, trials) };
  }
}

/** Dimensions whose changes leave the source as it is, and the others. */
const ofResult = ['resampler', 'finish', 'channelOrder'] as const;
const ofSource = ['decoding', 'turn', 'transparency', 'recolouring'] as const;

type Changed = (typeof ofResult)[number] | (typeof ofSource)[number];

/** Framings first, then all usual choices, then the unusual ones, and last the framings and turns that nobody expects. */
async function descend(lattice: Lattice, trials: Trials): Promise<Trial | undefined> {
  const start = expectedOf(lattice);
  trials.begin('usual');
  const usualTurns = lattice.turn.filter(({ isUnusual }) => !isUnusual);
  await trials.all(usualTurns.flatMap((turn) => firstTrials(turn, lattice)));
  const usual = await improve(lattice, trials);
  if (usual === undefined || usual.error === 0) return usual;
  trials.begin('unusual');
  const framings = lattice.framing(start.turn);
  const fromStart = framings.map((framing) => ({
    hypothesis: { ...start, framing },
    error: Number.POSITIVE_INFINITY,
  }));
  // Another decoder or resampler may have explained a part of the changes that a codec makes.
  const plain = {
    ...usual,
    hypothesis: { ...start, turn: usual.hypothesis.turn, framing: usual.hypothesis.framing },
  };
  const unusuals = [plain, ...trials.best(unusualBeamWidth), ...fromStart].flatMap((trial) =>
    unusualNeighboursOf(trial, lattice),
  );
  await trials.all(bySource(unusuals));
  const unusual = (await improve(lattice, trials)) ?? usual;
  if (unusual.error < wrongFraming) return unusual;
  trials.begin('all');
  const { hypothesis } = unusual;
  const framed = (turn: Turn, framings: readonly Framing[]) =>
    framings.map((framing) => ({ ...hypothesis, turn, framing }));
  // The best choices so far are those for another turn, so the expected ones are tried too.
  await trials.all(
    lattice.turn
      .filter(({ isUnusual }) => isUnusual)
      .flatMap((turn) => {
        const few = lattice.framing(turn).slice(0, usualFramings);
        return [...framed(turn, few), ...firstTrials(turn, lattice, few)];
      }),
  );
  await trials.all(usualTurns.flatMap((turn) => framed(turn, lattice.unusualFraming(turn))));
  return await improve(lattice, trials);
}

/**
 * All framings of a turn, with the two usual orders of the channels and each treatment of transparency: with wrong colours a
 * wrong framing can look better than the right one.
 */
function firstTrials(turn: Turn, lattice: Lattice, framings = lattice.framing(turn)): readonly Hypothesis[] {
  const start = expectedOf(lattice);
  return lattice.transparency
    .slice(0, firstTransparencies)
    .flatMap((transparency) =>
      lattice.channelOrder
        .slice(0, 2)
        .flatMap((channelOrder) =>
          framings.map((framing) => ({ ...start, turn, transparency, channelOrder, framing })),
        ),
    );
}

/** Changes dimensions, those of the source only where the others do not give the picture. */
async function improve(lattice: Lattice, trials: Trials): Promise<Trial | undefined> {
  const best = (): Beam => ({ trials: trials.best(beamWidth), withNear: true });
  // A framing that is a pixel off can make up for a wrong source a little; the right one is among the listed framings.
  const listed = (): Beam => ({ trials: trials.best(sourceBeamWidth, isListedIn(lattice)), withNear: false });
  for (let error = Number.POSITIVE_INFINITY; ; ) {
    const found = await change(ofResult, best, lattice, trials);
    if (found === undefined || found.error === 0 || found.error >= error) return found;
    error = found.error;
    const bestOfSource = (): Beam => ({ trials: trials.best(sourceBeamWidth), withNear: false });
    for (const beam of [bestOfSource, listed]) await change(ofSource, beam, lattice, trials);
    await change(ofResult, listed, lattice, trials);
    const { hypothesis } = trials.best(1)[0] ?? found;
    const near = hypothesis.recolouring.near?.() ?? [];
    await trials.all(near.map((recolouring) => ({ ...hypothesis, recolouring })));
  }
}

/** The hypotheses that are changed, and whether the framings next to those of the best one are tried too. */
interface Beam {
  readonly trials: readonly Trial[];
  readonly withNear: boolean;
}

/** Changes one dimension at a time, from the best hypotheses, until nothing gets better. */
async function change(
  names: readonly Changed[],
  beamOf: () => Beam,
  lattice: Lattice,
  trials: Trials,
): Promise<Trial | undefined> {
  for (let error = Number.POSITIVE_INFINITY; ; ) {
    const beam = beamOf();
    const [first] = beam.trials;
    if (first === undefined || first.error === 0 || first.error >= error) return first;
    error = first.error;
    const changed = beam.trials.flatMap(({ hypothesis }) => neighboursOf(hypothesis, names, lattice));
    await trials.all(bySource(changed));
    if (names === ofResult) await trials.all(framingsNextTo(beam, lattice, trials));
  }
}

/** The hypotheses of a beam with the best framings so far, and those next to the best one's. */
function framingsNextTo(beam: Beam, lattice: Lattice, trials: Trials): readonly Hypothesis[] {
  const kept = trials.best(keptFramings, beam.withNear ? undefined : isListedIn(lattice));
  return beam.trials.flatMap(({ hypothesis }, rank) => {
    const others = kept
      .filter((trial) => trial.hypothesis.turn.id === hypothesis.turn.id)
      .map((trial) => trial.hypothesis.framing);
    const near = rank === 0 && beam.withNear ? lattice.nearFramings(hypothesis) : [];
    return [...others, ...near].map((framing) => ({ ...hypothesis, framing }));
  });
}

/** Whether a hypothesis has one of the framings that {@link Lattice.framing} lists. */
function isListedIn(lattice: Lattice): (hypothesis: Hypothesis) => boolean {
  const listed = new Map<string, ReadonlySet<string>>();
  return ({ turn, framing }) => {
    const ids = listed.get(turn.id) ?? new Set(lattice.framing(turn).map(({ id }) => id));
    listed.set(turn.id, ids);
    return ids.has(framing.id);
  };
}

/** Those of one source follow each other, so that it is made once. */
function bySource(hypotheses: readonly Hypothesis[]): readonly Hypothesis[] {
  return hypotheses.toSorted((a, b) => (sourceOf(a) < sourceOf(b) ? -1 : 1));
}

function sourceOf(hypothesis: Hypothesis): string {
  return ofSource.map((name) => hypothesis[name].id).join('|');
}

/** Takes back every choice that makes no difference. */
async function simplify(found: Hypothesis, lattice: Lattice, trials: Trials): Promise<Hypothesis> {
  const expected = expectedOf(lattice);
  let simplest = found;
  for (const name of dimensions) {
    if (simplest[name].id === expected[name].id) continue;
    if (name === 'turn' && !isSameShape(simplest, expected)) continue;
    if (name === 'framing' && simplest.turn.id !== expected.turn.id) continue;
    const simpler = { ...simplest, [name]: expected[name] };
    if ((await trials.wholeOf(simpler)).error === 0) simplest = simpler;
  }
  return simplest;
}

/** The hypotheses that differ in one choice and give the same picture. */
async function equivalents(
  found: Hypothesis,
  lattice: Lattice,
  trials: Trials,
): Promise<readonly Hypothesis[]> {
  const same: Hypothesis[] = [];
  const expected = expectedOf(lattice);
  const ofOtherSource = ofSource.filter((name) => found[name].id !== expected[name].id);
  for (const changed of neighboursOf(found, [...ofResult, ...ofOtherSource], lattice)) {
    if (await trials.givesWindows(changed)) {
      if ((await trials.wholeOf(changed)).error === 0) same.push(changed);
    }
  }
  return same;
}

/** All hypotheses that differ in a usual choice of one of these dimensions. */
function neighboursOf(
  hypothesis: Hypothesis,
  names: readonly Changed[],
  lattice: Lattice,
): readonly Hypothesis[] {
  return changesOf(hypothesis, names, lattice, ({ isUnusual }) => !isUnusual).filter((changed) =>
    isSameShape(changed, hypothesis),
  );
}

/** All hypotheses that differ in one unusual choice, but for framing and turn. */
function unusualNeighboursOf({ hypothesis, error }: Trial, lattice: Lattice): readonly Hypothesis[] {
  return changesOf(
    hypothesis,
    [...ofResult, ...ofSource.filter((name) => name !== 'turn')],
    lattice,
    ({ isUnusual, isRefinement }) => isUnusual === true && (!isRefinement || error < nearMiss),
  );
}

function changesOf(
  hypothesis: Hypothesis,
  names: readonly Changed[],
  lattice: Lattice,
  isTried: (choice: Choice) => boolean,
): readonly Hypothesis[] {
  return names.flatMap((name) =>
    lattice[name]
      .filter((choice) => choice.id !== hypothesis[name].id && isTried(choice))
      .map((choice) => ({ ...hypothesis, ...resetBy(choice, lattice), [name]: choice })),
  );
}

/** The choices that another one makes pointless, taken back. */
function resetBy({ resets = [] }: Choice, lattice: Lattice): Partial<Hypothesis> {
  return Object.fromEntries(resets.map((name) => [name, lattice[name].find(({ id }) => id === 'none')]));
}

/** Whether the sources of both are turned to the same shape, so that a framing of one is one of the other. */
function isSameShape(one: Hypothesis, other: Hypothesis): boolean {
  const laying = ({ turn }: Hypothesis) => layingOf(turn.orientation).isTransposed;
  return laying(one) === laying(other);
}

/** The trials of one search. */
interface Trials {
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

function createTrials(picture: RecoveredPicture, lattice: Lattice, renderer: Renderer): Trials {
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

function idOf(hypothesis: Hypothesis): string {
  return dimensions.map((name) => hypothesis[name].id).join('|');
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
