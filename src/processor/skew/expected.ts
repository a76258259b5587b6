import type { ImageHeader } from '../codecs/header.ts';
import type { PlannedImage } from '../image/geometry.ts';
import { isGrayscale, type TensorPlan } from '../image/plan.ts';
import type { PlacedStep, Placement } from '../image/step.ts';
import type { Step } from '../image/steps.ts';
import type { Axes } from './axes.ts';
import { channelOrdersOf } from './lattice/channel-orders.ts';
import { decodings } from './lattice/decodings.ts';
import { finishesOf } from './lattice/finishes.ts';
import { framingOf, framingsOf } from './lattice/framings.ts';
import type { Choice, Framing, Lattice, Resampler } from './lattice/hypothesis.ts';
import { recolourings } from './lattice/recolourings.ts';
import { resamplers } from './lattice/resamplers.ts';
import { transparenciesOf } from './lattice/transparencies.ts';
import { turnsOf } from './lattice/turns.ts';

/**
 * The choices of all dimensions for a given tensor, those of the expected tensor first.
 *
 * @param expected - the plan of the expected tensor, with its sizes
 */
export function latticeFor(header: ImageHeader, { plan, geometry }: PlannedImage, given: Axes): Lattice {
  const turns = turnsOf(header.orientation);
  const own = expectedFraming({ plan, geometry });
  const framings = framingsOf(geometry.source, given);
  const channels = isGrayscale(plan) ? 1 : 3;
  const order = (plan.output as TensorPlan).channelOrder;
  return {
    decoding: decodings,
    turn: first(turns, ({ id }) => id === (plan.orientation ?? 'apply')),
    transparency: transparenciesOf(header.hasAlpha),
    recolouring: recolourings,
    framing:
      own !== undefined && isSameSize(own.size, given)
        ? first([own, ...framings.filter(({ id }) => id !== own.id)], () => true)
        : framings,
    resampler: first(resamplers, ({ id }) => id === expectedResampler({ plan, geometry })),
    finish: finishesOf(given.channels),
    channelOrder: first(channelOrdersOf(Math.min(channels, given.channels)), ({ id }) => id === order),
  };
}

/** The framing of a plan that resizes once and then crops or pads; undefined for any other. */
export function expectedFraming({ geometry }: Pick<PlannedImage, 'plan' | 'geometry'>): Framing | undefined {
  const [branch, ...others] = geometry.branches;
  if (branch === undefined || others.length > 0 || branch.tiles !== undefined) return undefined;
  const { source } = geometry;
  const resize = branch.steps.find(({ step }) => step.kind === 'resize');
  const placement: Placement = resize?.output ?? source;
  const { box = [0, 0, source.width, source.height], width, height } = placement;
  const crop = branch.steps.find(({ step }) => step.kind === 'crop' || step.kind === 'pad');
  const last = crop?.output ?? { width, height, left: 0, top: 0 };
  return framingOf({
    words: {
      size: sizeWords(resize, { width, height }),
      crop: crop === undefined ? 'none' : `centre ${last.width} × ${last.height}`,
    },
    box,
    resized: { width, height },
    left: 0 - (last.left ?? 0),
    top: 0 - (last.top ?? 0),
    size: { width: last.width, height: last.height },
    pad: [0, 0, 0],
  });
}

function sizeWords(
  resize: PlacedStep<Step> | undefined,
  { width, height }: { width: number; height: number },
): string {
  const { step } = resize ?? {};
  if (step?.kind === 'resize' && step.fit === 'shortestEdge')
    return `shorter side ${step.shortestEdge}: ${width} × ${height}`;
  return `${width} × ${height}`;
}

function expectedResampler({ plan, geometry }: PlannedImage): Resampler['id'] {
  const resize = geometry.branches[0]?.steps.find(({ step }) => step.kind === 'resize')?.step;
  if (resize?.kind !== 'resize') return `${plan.numerics} bilinear`;
  return `${resize.library ?? 'pillow'} ${resize.filter}`;
}

/** The list with the choice in question first. */
function first<C extends Choice>(choices: readonly C[], isFirst: (choice: C) => boolean): readonly C[] {
  return [...choices.filter(isFirst), ...choices.filter((choice) => !isFirst(choice))];
}

function isSameSize(
  one: { width: number; height: number },
  other: { width: number; height: number },
): boolean {
  return one.width === other.width && one.height === other.height;
}
