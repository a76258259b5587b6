import { sizeUpright } from '../codecs/orient.ts';
import { areaOf } from './cutout.ts';
import type { KernelName } from './kernels/kernels.ts';
import { kernels } from './kernels/kernels.ts';
import { checkWork, resampleUpright, type Target } from './kernels/resample.ts';
import type { FilterName } from './kernels/weights.ts';
import type { Picture } from './picture.ts';
import type { Pixels } from './pixels.ts';
import { fitInWords } from './resize-words.ts';
import { resizedSize } from './resized-size.ts';
import { kindOfSizeRule, type SizeRule } from './size-rules/size-rules.ts';
import type { PlacedStep, StepKind } from './step.ts';
import { kernelInWords } from './words.ts';

/** Resamples an image to another size, in pixels. resized-size.ts defines how each fit rounds. */
export type ResizeStep = {
  readonly kind: 'resize';
  readonly filter: FilterName;
  /** The library that resamples. Unset: Pillow. `torchLinear` has one filter, bilinear, and `plainTorch` has bicubic too. */
  readonly library?: KernelName | undefined;
} & ResizeFit;

export type ResizeFit =
  | { readonly fit: 'fill'; readonly width: number; readonly height: number }
  | { readonly fit: 'cover' | 'inside' | 'outside'; readonly width: number; readonly height: number }
  | { readonly fit: 'width'; readonly width: number }
  | { readonly fit: 'height'; readonly height: number }
  | { readonly fit: 'shortestEdge'; readonly shortestEdge: number; readonly longestEdge?: number }
  | { readonly fit: 'within'; readonly maxWidth: number; readonly maxHeight: number }
  | { readonly fit: 'rule'; readonly rule: SizeRule };

export const resize: StepKind<ResizeStep> = {
  inWords: (step) => `${fitInWords(step)} (${kernelInWords(step)})`,
  place: (step, input) => ({ ...resizedSize(input, step), colours: input.colours }),
  fixedSize(step) {
    if (step.fit !== 'fill' && step.fit !== 'cover') return undefined;
    return { width: step.width, height: step.height };
  },
  // The library's pass order and weights depend on the whole input.
  inputCutout: (input) => ({ left: 0, top: 0, right: input.width, bottom: input.height }),
  checkInput(step, input) {
    if (step.fit === 'rule') kindOfSizeRule(step.rule).check?.(step.rule, input);
  },
  checkWork(placed) {
    const { library } = placed.step;
    const check = library === undefined ? checkWork : kernels[library].check;
    check(placed.input, targetOf(placed));
  },
  newPixels: ({ computed }) => areaOf(computed),
  resampledPixels: ({ input, output, computed }) =>
    areaOf(input) * (areaOf(computed) / Math.max(1, areaOf(output))),
  run: (picture, placed) => resample(picture, placed, false),
};

/**
 * Turns a picture upright and resamples it, bit for bit as Pillow's `ImageOps.exif_transpose` and `Image.resize`, or as
 * the step's library.
 *
 * @param toLuma - whether the result is Pillow's luma, computed for each row while the row is in the CPU cache
 * @returns the pixels of the step's cutout
 */
export function resample(
  { pixels, orientation }: Picture,
  placed: PlacedStep<ResizeStep>,
  toLuma: boolean,
): Pixels {
  const { library } = placed.step;
  if (library !== undefined) return kernels[library].resample(pixels, orientation, targetOf(placed));
  return resampleUpright(pixels, orientation, targetOf(placed), toLuma && pixels.channels === 3);
}

/**
 * {@link resample} of a smaller version of the source.
 *
 * @param picture - [height, width, channels] uint8, the source or a version of it that a decoder has reduced
 * @param toLuma - whether only the luma of the result is used
 */
export function resampleReduced(
  { pixels, orientation }: Picture,
  placed: PlacedStep<ResizeStep>,
  toLuma: boolean,
): Pixels {
  const { input } = placed;
  const target = targetOf(placed);
  const [left, top, right, bottom] = target.box ?? [0, 0, input.width, input.height];
  const reduced = sizeUpright(pixels, orientation);
  // The reduced sides are rounded up. The box keeps its share of each side.
  const [across, down] = [reduced.width / input.width, reduced.height / input.height];
  const box = [
    left * across,
    top * down,
    Math.min(reduced.width, right * across),
    Math.min(reduced.height, bottom * down),
  ] as const;
  return resampleUpright(pixels, orientation, { ...target, box }, toLuma && pixels.channels === 3);
}

function targetOf({ step, output, cutout }: PlacedStep<ResizeStep>): Target {
  const { width, height, box } = output;
  return { width, height, filter: step.filter, box, cutout };
}
