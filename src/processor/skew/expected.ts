import type { ImageHeader } from '../codecs/header.ts';
import { sizeUpright } from '../codecs/orient.ts';
import type { PlacedBranch, PlannedImage } from '../image/geometry.ts';
import type { TensorPlan } from '../image/plan.ts';
import type { Size } from '../image/shortest-edge.ts';
import type { PlacedStep } from '../image/step.ts';
import type { Step } from '../image/steps.ts';
import { channelOrdersOf } from './lattice/channel-orders.ts';
import { decodingsOf } from './lattice/decodings.ts';
import { finishesOf } from './lattice/finishes.ts';
import { framingOf, wholeWindow } from './lattice/framing.ts';
import { framingsOf, nearFramings, unusualFramings } from './lattice/framings.ts';
import type { Choice, Framing, Lattice, Levels, Turn, Window } from './lattice/hypothesis.ts';
import { recolouringsOf } from './lattice/recolourings.ts';
import { resamplers } from './lattice/resamplers.ts';
import { transparenciesOf } from './lattice/transparencies.ts';
import { turnsOf } from './lattice/turns.ts';

/**
 * The choices of all dimensions for a given picture, those of the expected tensor first.
 *
 * @param expected - the plan of the expected tensor, with its sizes
 * @param branch - the way to the picture in question
 */
export function latticeFor(
  header: ImageHeader,
  { plan, geometry }: PlannedImage,
  branch: PlacedBranch,
  picture: Levels,
): Lattice {
  const { width, height } = picture;
  const own = expectedFraming(geometry.source, branch);
  const isOwnSize = own.shown.width === width && own.shown.height === height;
  const gray = expectedGray(branch);
  const isGraySource = header.colour === 'gray';
  const { channelOrder } = plan.output as TensorPlan;
  const resampler = resamplerId(branch, plan.numerics);
  const sizeOfTurn = ({ orientation }: Turn) => sizeUpright(header, orientation);
  const isOwn = (turn: Turn) => turn.id === (plan.orientation ?? 'apply') && isOwnSize;
  return {
    decoding: decodingsOf(header),
    turn: first(turnsOf(header.orientation), ({ id }) => id === (plan.orientation ?? 'apply')),
    transparency: transparenciesOf(header.hasAlpha, plan.alpha),
    recolouring: recolouringsOf(isGraySource, header.width * header.height, picture, gray.before ?? 'none'),
    framing: oncePerTurn((turn) =>
      withFirst(isOwn(turn) ? own : undefined, framingsOf(sizeOfTurn(turn), picture)),
    ),
    nearFramings: ({ turn, framing }) => nearFramings(sizeOfTurn(turn), framing),
    unusualFraming: (turn) => unusualFramings(sizeOfTurn(turn), picture),
    resampler: first(resamplers, ({ id }) => id === resampler),
    finish: finishesOf(
      isGraySource,
      picture,
      gray.after ?? (picture.channels === 1 && !isGraySource ? 'pillow' : 'none'),
    ),
    channelOrder: first(channelOrdersOf(picture.channels), ({ id }) => id === channelOrder),
  };
}

/** The ids of the formula of gray that a branch uses, before its resize or after it. */
function expectedGray({ steps }: PlacedBranch): { readonly before?: string; readonly after?: string } {
  const at = steps.findIndex(({ step }) => step.kind === 'grayscale');
  const step = steps[at]?.step;
  if (step?.kind !== 'grayscale') return {};
  const { library = 'pillow' } = step;
  const isLater = steps.slice(at).some(({ step: { kind } }) => kind === 'resize');
  return isLater ? { before: library } : { after: library };
}

/** The framing of a branch. */
function expectedFraming(source: Size, branch: PlacedBranch): Framing {
  const moving = branch.steps.filter(({ step }) => step.kind !== 'grayscale');
  const at = moving.findIndex(({ step }) => step.kind === 'resize');
  const lastResize = moving.findLastIndex(({ step }) => step.kind === 'resize');
  const resize = moving[at];
  const before = windowOf(source, at < 0 ? [] : moving.slice(0, at));
  const base = resize?.input ?? source;
  const resized = sizeOf(resize?.output ?? source);
  const shown = windowOf(resized, moving.slice(at + 1));
  if (before === undefined || shown === undefined || at !== lastResize) return plannedFraming(branch);
  const isCanvas = at > 0;
  const box = resize?.output.box ?? ([0, 0, base.width, base.height] as const);
  return framingOf(source, {
    canvas: isCanvas ? before : undefined,
    box,
    resized,
    shown,
  });
}

/** The steps of a branch as a framing of its own. */
function plannedFraming({ steps, picture }: PlacedBranch): Framing {
  const { width, height } = picture;
  return {
    id: `as planned, ${width} × ${height}`,
    words: { size: 'as planned' },
    box: [0, 0, width, height],
    resized: { width, height },
    shown: wholeWindow(picture),
    steps: steps.filter(({ step }) => step.kind !== 'grayscale'),
  };
}

/** Several crops and paddings in a row as one window; undefined if another step is among them. */
function windowOf(picture: Size, steps: readonly PlacedStep<Step>[]): Window | undefined {
  let window = wholeWindow(picture);
  for (const { step, output } of steps) {
    if (step.kind === 'mirrorPad' || step.kind === 'resize' || step.kind === 'turnLongAxis') return undefined;
    const colour = 'colour' in step ? step.colour : undefined;
    window = {
      ...sizeOf(output),
      left: window.left - (output.left ?? 0),
      top: window.top - (output.top ?? 0),
      pad: colour ?? window.pad,
    };
  }
  return window;
}

/** The id of a plan's resampler. */
function resamplerId({ steps }: PlacedBranch, numerics: PlannedImage['plan']['numerics']): string {
  const resize = steps.find(({ step }) => step.kind === 'resize')?.step;
  if (resize?.kind !== 'resize') return `${numerics} bilinear`;
  return `${resize.library ?? 'pillow'} ${resize.filter}`;
}

/** The list with the choices in question first. */
function first<C extends Choice>(choices: readonly C[], isFirst: (choice: C) => boolean): readonly C[] {
  return [...choices.filter(isFirst), ...choices.filter((choice) => !isFirst(choice))];
}

function withFirst<C extends Choice>(choice: C | undefined, choices: readonly C[]): readonly C[] {
  return choice === undefined ? choices : [choice, ...choices.filter(({ id }) => id !== choice.id)];
}

function sizeOf({ width, height }: Size): Size {
  return { width, height };
}

/** Lists are long, and asked for in each round of the search. */
function oncePerTurn(framingsOf: Lattice['framing']): Lattice['framing'] {
  const made = new Map<string, readonly Framing[]>();
  return (turn) => {
    const framings = made.get(turn.id) ?? framingsOf(turn);
    made.set(turn.id, framings);
    return framings;
  };
}
