import { layingOf } from '../codecs/orient.ts';
import {
  type Choice,
  dimensions,
  dimensionsOfSource,
  expectedOf,
  type Framing,
  type Hypothesis,
  type Lattice,
  sourceIdOf,
  type Turn,
} from './lattice/hypothesis.ts';
import type { Renderer } from './render.ts';
import { createTrials, type Trial, type Trials } from './trials.ts';
import type { RecoveredPicture } from './values/recovered.ts';

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

type Changed = (typeof ofResult)[number] | (typeof dimensionsOfSource)[number];

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
  const best: Beam = { width: beamWidth };
  const bestOfSource: Beam = { width: sourceBeamWidth };
  // A framing that is a pixel off can make up for a wrong source a little; the right one is among the listed framings.
  const listed: Beam = { width: sourceBeamWidth, isMeant: isListedIn(lattice) };
  for (let error = Number.POSITIVE_INFINITY; ; ) {
    const found = await change(ofResult, best, lattice, trials);
    if (found === undefined || found.error === 0 || found.error >= error) return found;
    error = found.error;
    for (const beam of [bestOfSource, listed]) await change(dimensionsOfSource, beam, lattice, trials);
    await change(ofResult, listed, lattice, trials);
    const { hypothesis } = trials.best(1)[0] ?? found;
    const near = hypothesis.recolouring.near?.() ?? [];
    await trials.all(near.map((recolouring) => ({ ...hypothesis, recolouring })));
  }
}

/** Which of the best hypotheses are changed. */
interface Beam {
  readonly width: number;
  /** Unset: all; the framings next to that of the best one are then tried too. */
  readonly isMeant?: (hypothesis: Hypothesis) => boolean;
}

/** Changes one dimension at a time, from the best hypotheses, until nothing gets better. */
async function change(
  names: readonly Changed[],
  { width, isMeant }: Beam,
  lattice: Lattice,
  trials: Trials,
): Promise<Trial | undefined> {
  for (let error = Number.POSITIVE_INFINITY; ; ) {
    const beam = trials.best(width, isMeant);
    const [first] = beam;
    if (first === undefined || first.error === 0 || first.error >= error) return first;
    error = first.error;
    const changed = beam.flatMap(({ hypothesis }) => neighboursOf(hypothesis, names, lattice));
    await trials.all(bySource(changed));
    if (names !== ofResult) continue;
    const near = isMeant === undefined ? lattice.nearFramings(first.hypothesis) : [];
    await trials.all(withFramings(beam, trials.best(keptFramings, isMeant), near));
  }
}

/** The hypotheses of a beam with the framings that are kept, and the best one with those next to its own. */
function withFramings(
  beam: readonly Trial[],
  kept: readonly Trial[],
  near: readonly Framing[],
): readonly Hypothesis[] {
  return beam.flatMap(({ hypothesis }, rank) => {
    const others = kept
      .filter((trial) => trial.hypothesis.turn.id === hypothesis.turn.id)
      .map((trial) => trial.hypothesis.framing);
    return [...others, ...(rank === 0 ? near : [])].map((framing) => ({ ...hypothesis, framing }));
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
  return hypotheses.toSorted((a, b) => (sourceIdOf(a) < sourceIdOf(b) ? -1 : 1));
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
  const ofOtherSource = dimensionsOfSource.filter((name) => found[name].id !== expected[name].id);
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
    [...ofResult, ...dimensionsOfSource.filter((name) => name !== 'turn')],
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
