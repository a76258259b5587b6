import type { FastDecoded, FastTarget } from '../codecs/codec.ts';
import { freePixels } from '../workers/scratch.ts';
import { flatten } from './alpha.ts';
import { cutUpright } from './cutout.ts';
import { type Geometry, stepsOf } from './geometry.ts';
import { type Picture, storedPicture, upright } from './picture.ts';
import type { Pixels } from './pixels.ts';
import type { Plan } from './plan.ts';
import { type ResizeStep, resample, resampleReduced } from './resize.ts';
import type { Size } from './shortest-edge.ts';
import type { PlacedStep } from './step.ts';
import { kindOf, type Step } from './steps.ts';
import { tilesOf } from './views/tiles.ts';

/** The stages of one image in a worker, up to its outputs. */
export interface PixelStages {
  readonly plan: Plan;
  readonly geometry: Geometry;
  /** EXIF's, 1…8. */
  readonly orientation: number;
  /** Decodes the whole source, as stored. */
  decodeWhole(): Promise<Pixels>;
  /** Decodes the source for fast numerics, as stored. */
  decodeFast(target: FastTarget): Promise<FastDecoded>;
  /** Runs a stage and times it by its name. */
  stage<T>(name: string, run: () => T | Promise<T>): Promise<T>;
}

/**
 * Exact numerics: decode → alpha → steps, the operations of the library in its order, for each branch.
 *
 * @returns the pictures in their order, upright
 */
export async function exactStages(job: PixelStages): Promise<readonly Pixels[]> {
  const { geometry, orientation, stage } = job;
  const decoded = await stage('decode', () => job.decodeWhole());
  const opaque = await dropAlpha(storedPicture(decoded, orientation), job);
  const pictures: Pixels[] = [];
  for (const { steps, tiles } of geometry.branches) {
    const processed = await turnUpright(await runSteps(opaque, steps, stage), stage);
    pictures.push(
      ...(tiles === undefined ? [processed] : await stage('tiles', () => cutTiles(processed, tiles))),
    );
  }
  // The source stays: other plans read it.
  freePixels(opaque.pixels.data, decoded.data, ...pictures.map(({ data }) => data));
  return pictures;
}

/** Cuts an image into tiles, row by row. */
function cutTiles(image: Pixels, tile: Size): readonly Pixels[] {
  return tilesOf(image, tile).map(({ left, top, width, height }) =>
    cutUpright(image, 1, { left, top, right: left + width, bottom: top + height }),
  );
}

/**
 * Fast numerics: decode → resize → alpha → other steps. If the plan begins with a resize, the decoder computes only the
 * pixels that the resize needs, or libvips resizes while it decodes.
 *
 * @returns one picture, upright: the rules allow no plan of several
 */
export async function fastStages(job: PixelStages): Promise<readonly Pixels[]> {
  const { geometry, orientation, stage } = job;
  const steps = stepsOf(geometry);
  const [first, ...others] = steps;
  const resizing = first !== undefined && isResize(first) ? first : undefined;
  const { pixels, isResized } = await stage('decode', () => job.decodeFast(fastTarget(steps, resizing)));
  const opaque = await dropAlpha(storedPicture(pixels, orientation), job);
  const resized =
    resizing === undefined || isResized
      ? opaque
      : afterStep(
          await stage('resize', () => resampleReduced(opaque, resizing, onlyLumaIsUsed(others))),
          resizing,
        );
  const processed = await runSteps(resized, resizing === undefined ? steps : others, stage);
  const picture = await turnUpright(processed, stage);
  for (const each of [pixels, opaque.pixels, resized.pixels]) freePixels(each.data, picture.data);
  return [picture];
}

type RunStage = PixelStages['stage'];

/** Drops the alpha if no output keeps it. */
async function dropAlpha(picture: Picture, { plan, geometry, stage }: PixelStages): Promise<Picture> {
  const { pixels } = picture;
  if (geometry.keepsAlpha || pixels.channels !== 4) return picture;
  return { ...picture, pixels: await stage('alpha', () => flatten(pixels, plan.alpha)) };
}

/**
 * Runs steps in order. A resize before a grayscale returns luma, computed for each row while the row is in the CPU
 * cache.
 */
export async function runSteps(
  start: Picture,
  steps: readonly PlacedStep<Step>[],
  stage: RunStage,
): Promise<Picture> {
  let picture = start;
  for (const [index, placed] of steps.entries()) {
    const input = picture;
    const toLuma = onlyLumaIsUsed(steps.slice(index + 1));
    const pixels = await stage(placed.step.kind, () =>
      isResize(placed) ? resample(input, placed, toLuma) : kindOf(placed.step).run(input, placed),
    );
    picture = movesPixels(placed) ? afterStep(pixels, placed) : { ...input, pixels };
    freePixels(input.pixels.data, start.pixels.data, pixels.data);
  }
  return picture;
}

/** Turns a picture upright if no step has done so. */
async function turnUpright(picture: Picture, stage: RunStage): Promise<Pixels> {
  if (picture.orientation === 1) return picture.pixels;
  return await stage('orient', () => upright(picture));
}

function afterStep(pixels: Pixels, { cutout }: PlacedStep): Picture {
  return { pixels, orientation: 1, cutout };
}

function movesPixels({ step }: PlacedStep<Step>): boolean {
  return kindOf(step).inputCutout !== undefined;
}

function isResize(placed: PlacedStep<Step>): placed is PlacedStep<ResizeStep> {
  return placed.step.kind === 'resize';
}

/** Whether a grayscale follows and all steps before it add no colour. */
function onlyLumaIsUsed(steps: readonly PlacedStep<Step>[]): boolean {
  const grayscale = steps.findIndex(({ step }) => step.kind === 'grayscale');
  return grayscale !== -1 && steps.slice(0, grayscale).every(({ step }) => step.kind !== 'pad');
}

function fastTarget(
  steps: readonly PlacedStep<Step>[],
  resizing: PlacedStep<ResizeStep> | undefined,
): FastTarget {
  const lumaOnly = onlyLumaIsUsed(steps);
  if (resizing === undefined) return { lumaOnly };
  const { step, input, output } = resizing;
  const [left, top, right, bottom] = output.box ?? [0, 0, input.width, input.height];
  const { width, height } = output;
  return {
    lumaOnly,
    resize: {
      width,
      height,
      filter: step.filter,
      isCover: step.fit === 'cover',
      sourcePerPixel: Math.min((right - left) / width, (bottom - top) / height),
    },
  };
}
