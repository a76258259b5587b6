import { Failure } from '../../failures.ts';
import { kindOfArrangement } from './arrangements/arrangements.ts';
import { type PlannedImage, stepsOf } from './geometry.ts';
import type { OutputFormat } from './plan.ts';
import type { Size } from './shortest-edge.ts';
import { kindOf } from './steps.ts';
import { arrangementOf, partsOf } from './tensor.ts';

/** Longest side of an image, in pixels. JPEG: libjpeg's JPEG_MAX_DIMENSION; WebP: 14 bits. */
export const longestSides = {
  jpeg: 65_500,
  png: 2 ** 31 - 1,
  webp: 16_383,
} as const satisfies Record<OutputFormat, number>;

/**
 * Checks the sizes of a plan's steps and outputs for an image before anything is decoded.
 *
 * @param maxOutputPixels - limit of width × height, for the output and every picture between two steps
 * @returns the image
 * @throws PRESET_UNSUPPORTED, OUTPUT_PIXELS_OVER_LIMIT, and what a step or an arrangement throws for a size that the
 *   model's own processor refuses
 */
export function withinLimits<Image extends PlannedImage>(image: Image, maxOutputPixels: number): Image {
  const { plan, geometry } = image;
  checkReadable(plan.unreadableHeights ?? [], geometry.source);
  const steps = stepsOf(geometry);
  for (const { step, input } of steps) kindOf(step).checkInput?.(step, input);
  for (const { output } of steps) checkNotEmpty(output);
  for (const { computed } of steps) checkPixels(computed, maxOutputPixels);
  for (const { picture } of geometry.branches) checkPixels(picture, maxOutputPixels);
  // Fast numerics resample a smaller version of the source, which the resampler checks.
  if (plan.numerics !== 'fast') {
    for (const placed of steps) kindOf(placed.step).checkWork?.(placed);
  }
  if (plan.output.kind === 'tensor') {
    const arrangement = arrangementOf(plan.output);
    for (const { pictures } of partsOf(plan.output, geometry.pictures)) {
      kindOfArrangement(arrangement).check?.(arrangement, pictures);
    }
  }
  for (const output of geometry.outputs) {
    if (output.kind === 'image') checkSides(output, output.format);
  }
  return image;
}

function checkReadable(unreadable: readonly number[], { width, height }: Size): void {
  if (!unreadable.includes(height)) return;
  const limit = Math.max(...unreadable) + 1;
  throw new Failure(
    'IMAGE_TOO_SMALL',
    `The image has ${width} × ${height} pixels; the model's processor takes a height of ${unreadable.join(' or ')} for the number of channels, so it misreads the image. Send one with a height of at least ${limit}.`,
    { limit, actual: height, width, height },
  );
}

function checkNotEmpty({ width, height }: Size): void {
  if (width >= 1 && height >= 1) return;
  throw new Failure(
    'PRESET_UNSUPPORTED',
    `The preset reduces this image to ${width} × ${height} pixels, so it has none. Send a wider or taller one, or choose a preset with a fixed size.`,
    { width, height },
  );
}

function checkPixels({ width, height }: Size, limit: number): void {
  if (width * height <= limit) return;
  throw new Failure(
    'OUTPUT_PIXELS_OVER_LIMIT',
    `The output would have ${width} × ${height} = ${width * height} pixels; the limit is ${limit}. Ask for a smaller size.`,
    { limit, actual: width * height, width, height },
  );
}

function checkSides({ width, height }: Size, format: OutputFormat): void {
  const limit = longestSides[format];
  const actual = Math.max(width, height);
  if (actual <= limit) return;
  throw new Failure(
    'OUTPUT_PIXELS_OVER_LIMIT',
    `The output would have ${width} × ${height} pixels; a side of a ${format.toUpperCase()} has at most ${limit}. Ask for a smaller size or for PNG.`,
    { limit, actual, width, height },
  );
}
