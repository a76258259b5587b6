import type { ImageHeader } from '../codecs/header.ts';
import { sizeUpright } from '../codecs/orient.ts';
import { keepsAlpha } from './alpha.ts';
import { sizeOfCutout, wholeOf } from './cutout.ts';
import { describeOutputs, type OutputDescription } from './outputs.ts';
import type { Plan } from './plan.ts';
import type { Size } from './shortest-edge.ts';
import type { PlacedStep, Placement, Shape } from './step.ts';
import { kindOf, type Step } from './steps.ts';

/** All sizes of a plan for one image, computed only from its header. Plain values. */
export interface Geometry {
  /** Size of the source after EXIF orientation, in pixels. */
  readonly source: Shape;
  /** The steps of the plan, in order. */
  readonly steps: readonly PlacedStep<Step>[];
  /** The processed picture: the output of the last step. */
  readonly picture: Shape;
  /** Whether an image output has the source's alpha. */
  readonly keepsAlpha: boolean;
  readonly outputs: readonly OutputDescription[];
  /** Upper bound of the response's content in bytes: exact for tensors, apart from their container's header. */
  readonly maxContentBytes: number;
}

/** Upper bound of the contents of several responses together, in bytes. */
export function maxBytesOf(geometries: readonly Geometry[]): number {
  return geometries.reduce((sum, { maxContentBytes }) => sum + maxContentBytes, 0);
}

/** A plan and its geometry for one image. */
export interface PlannedImage {
  readonly plan: Plan;
  readonly geometry: Geometry;
}

/** Computes all sizes of a plan for an image. Refuses nothing; limits.ts does. */
export function geometryOf(header: ImageHeader, plan: Plan): Geometry {
  const source = sourceShape(header);
  const steps = placeSteps(source, plan);
  const picture: Shape = steps.at(-1)?.output ?? source;
  const withAlpha = keepsAlpha(header, plan);
  return {
    source,
    steps,
    picture,
    keepsAlpha: withAlpha,
    ...describeOutputs(picture, withAlpha, plan, header.format),
  };
}

function sourceShape(header: ImageHeader): Shape {
  return { ...sizeUpright(header, header.orientation), colours: header.colour === 'gray' ? 1 : 3 };
}

/** Computes inputs and outputs from the first step to the last, then the parts that are needed, from the last back. */
function placeSteps(source: Shape, { steps, numerics }: Plan): readonly PlacedStep<Step>[] {
  let input = source;
  const placements = steps.map((step): { step: Step; input: Shape; output: Placement } => {
    const placed = { step, input, output: kindOf(step).place(step, input) };
    input = placed.output;
    return placed;
  });
  let cutout = wholeOf(input);
  const needed = placements.toReversed().map((placement) => {
    const { step, input, output } = placement;
    const own = cutout;
    cutout = kindOf(step).inputCutout?.(input, output, own) ?? own;
    // libvips may run the resize, and it computes all of it.
    const isWhole = numerics === 'fast' && step.kind === 'resize';
    return { ...placement, cutout: own, computed: isWhole ? sizeOf(output) : sizeOfCutout(own) };
  });
  let available = sizeOf(source);
  return needed.reverse().map((placement) => {
    const placed = { ...placement, available };
    available = placement.computed;
    return placed;
  });
}

function sizeOf({ width, height }: Size): Size {
  return { width, height };
}
