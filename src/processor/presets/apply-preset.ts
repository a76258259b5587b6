import { Failure } from '../../failures.ts';
import { centerCrop } from '../image/center-crop.ts';
import { resample } from '../image/kernels/resample.ts';
import { grayToRgb, type Pixels } from '../image/pixels.ts';
import {
  type Size,
  shortestAndLongestEdgeSize,
  shortestEdgeSize,
  withinSize,
} from '../image/shortest-edge.ts';
import { type EncodedTensor, tensor } from '../image/tensor.ts';
import type { PresetPlan, PresetStep, ResizeTarget } from './preset-plan.ts';

/** What a preset makes of an image. */
export interface PresetResult {
  /** [height, width, 3] uint8, before they are rescaled: RGB in any channel order. */
  readonly pixels: Pixels;
  /** Its values alone, little-endian. */
  readonly tensor: EncodedTensor;
}

/**
 * Does to an upright, opaque image what a model's preprocessor does.
 *
 * @param image - [height, width, 1 | 3] uint8
 * @throws OUTPUT_PIXELS_OVER_LIMIT, PRESET_UNSUPPORTED, as {@link presetSize}
 */
export function applyPreset(image: Pixels, preset: PresetPlan, maxPixels: number): PresetResult {
  const pixels = grayToRgb(applyPresetSteps(image, preset.steps, maxPixels));
  return { pixels, tensor: tensor(pixels, { kind: 'tensor', container: 'raw', ...preset.tensor }) };
}

/**
 * The steps of {@link applyPreset}, which are those on uint8 pixels.
 *
 * @param image - [height, width, 1 | 3] uint8
 * @returns as many channels as the image has
 */
export function applyPresetSteps(image: Pixels, steps: readonly PresetStep[], maxPixels: number): Pixels {
  presetSize(image, steps, maxPixels);
  return steps.reduce(applyStep, image);
}

function applyStep(image: Pixels, step: PresetStep): Pixels {
  const { width, height } = sizeAfter(image, step);
  return step.kind === 'resize'
    ? resample(image, width, height, step.filter)
    : centerCrop(image, step, step.origin);
}

/**
 * Size that an image has after the steps, in pixels.
 *
 * @param maxPixels - width × height that no step may go beyond: a shorter side of 224 makes 250 million
 *   pixels of 1 × 5000, though the next step crops them
 * @throws OUTPUT_PIXELS_OVER_LIMIT; PRESET_UNSUPPORTED where a side becomes 0, which Pillow refuses as well
 */
export function presetSize(source: Size, steps: readonly PresetStep[], maxPixels: number): Size {
  return steps.reduce<Size>((size, step) => {
    const next = sizeAfter(size, step);
    checkStepSize(size, next, maxPixels);
    return next;
  }, source);
}

function sizeAfter(size: Size, step: PresetStep): Size {
  return step.kind === 'resize' ? resizedSize(size, step.to) : step;
}

function resizedSize(size: Size, to: ResizeTarget): Size {
  switch (to.kind) {
    case 'exact':
      return to;
    case 'shortestEdge':
      return shortestEdgeSize(size, to.shortestEdge);
    case 'shortestAndLongestEdge':
      return shortestAndLongestEdgeSize(size, to.shortestEdge, to.longestEdge);
    case 'within':
      return withinSize(size, to.maxWidth, to.maxHeight);
  }
}

function checkStepSize(from: Size, to: Size, limit: number): void {
  const { width, height } = to;
  const asked = `The preset makes ${width} × ${height} pixels of ${from.width} × ${from.height}`;
  if (width < 1 || height < 1) {
    throw new Failure(
      'PRESET_UNSUPPORTED',
      `${asked}: that is no image. Send one that is not so thin, or choose a preset with a fixed size.`,
      { width, height },
    );
  }
  if (width * height > limit) {
    throw new Failure(
      'OUTPUT_PIXELS_OVER_LIMIT',
      `${asked}, ${width * height} in all; the limit is ${limit}. Send an image that is not so thin.`,
      { limit, actual: width * height, width, height },
    );
  }
}
