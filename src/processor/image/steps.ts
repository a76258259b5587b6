import { crop } from './crop.ts';
import { grayscale } from './grayscale.ts';
import { mirrorPad } from './mirror-pad.ts';
import { pad } from './pad.ts';
import { padTo } from './pad-to.ts';
import { reflectPad } from './reflect-pad.ts';
import { relativeCrop } from './relative-crop.ts';
import { resize } from './resize.ts';
import type { Size } from './shortest-edge.ts';
import type { StepKind } from './step.ts';
import { turnLongAxis } from './turn-long-axis.ts';

/** The kinds of steps. A new one is a file in this folder and a row here. */
const stepKinds = {
  resize,
  pad,
  padTo,
  mirrorPad,
  reflectPad,
  crop,
  relativeCrop,
  turnLongAxis,
  grayscale,
} as const;

type Kinds = typeof stepKinds;

export type Step = { [Kind in keyof Kinds]: Kinds[Kind] extends StepKind<infer S> ? S : never }[keyof Kinds];

/** The kind of a step. */
export function kindOf(step: Step): StepKind<Step> {
  return stepKinds[step.kind] as StepKind<Step>;
}

/** The size of the processed picture, if it is the same for every image. */
export function fixedSizeOf(steps: readonly Step[]): Size | undefined {
  let size: Size | undefined;
  for (const step of steps) {
    const { fixedSize } = kindOf(step);
    if (fixedSize !== undefined) size = fixedSize(step);
  }
  return size;
}
