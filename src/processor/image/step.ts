import type { Cutout } from './cutout.ts';
import type { Picture } from './picture.ts';
import type { Pixels } from './pixels.ts';
import type { Size } from './shortest-edge.ts';

/** Size of the picture between two steps, and 1 for gray or 3 for colour; alpha is not counted. */
export interface Shape extends Size {
  readonly colours: 1 | 3;
}

/** The shape of a step's output, and the position of its input in it. */
export interface Placement extends Shape {
  /** Of a resize: the part of its input that is resampled, in input pixels, with fractions. Unset: the whole input. */
  readonly box?: readonly [left: number, top: number, right: number, bottom: number];
  /** The column of the output where the input begins: negative where a crop removes columns. Unset: 0. */
  readonly left?: number;
  /** The same for rows. */
  readonly top?: number;
}

/** A step with its geometry. */
export interface PlacedStep<S = unknown> {
  readonly step: S;
  readonly input: Shape;
  readonly output: Placement;
  /** Size of the part of the input that exists: the step before computes only what this one needs. */
  readonly available: Size;
  /** The part of the output that later steps need; the rest need not be computed. */
  readonly cutout: Cutout;
  /** Size of the largest part of the output that is computed: that of `cutout`, or all of it if libvips resizes. */
  readonly computed: Size;
}

/**
 * A kind of step: one file in this folder and one row in steps.ts.
 *
 * Everything but `run` is computed only from the header, in the process that serves gRPC.
 */
export interface StepKind<S> {
  /** The step as a clause that begins with a verb. */
  inWords(step: S): string;
  /** Computes the shape of the output and the position of the input. */
  place(step: S, input: Shape): Placement;
  /** The size of the output, if it is the same for every input. Unset: the size of the input. */
  fixedSize?(step: S): Size | undefined;
  /** The part of the input that a part of the output needs. Unset: the same part. */
  inputCutout?(input: Shape, output: Placement, cutout: Cutout): Cutout;
  /** @throws Failure if the library refuses an input of this size */
  checkInput?(step: S, input: Size): void;
  /** @throws Failure if exact numerics would need too much work */
  checkWork?(placed: PlacedStep<S>): void;
  /** Pixels that the step allocates. Unset: none. */
  newPixels?(placed: PlacedStep<S>): number;
  /** Pixels of its input that the step resamples. Unset: none. */
  resampledPixels?(placed: PlacedStep<S>): number;
  /**
   * @param picture - the part of the input that `inputCutout` names, or more
   * @returns the pixels of `cutout`, upright
   */
  run(picture: Picture, placed: PlacedStep<S>): Pixels;
}
