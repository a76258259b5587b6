import { Failure } from '../../failures.ts';
import { type Decoded, decode } from '../codecs/decode.ts';
import { type Encoded, encode, longestSides } from '../codecs/encode.ts';
import type { ImageHeader } from '../codecs/header.ts';
import { sizeUpright } from '../codecs/orient.ts';
import { createStopwatch, type Stage } from '../stopwatch.ts';
import { packFailure, type WorkerFailure } from '../workers/failure.ts';
import { outOfScratch } from '../workers/scratch.ts';
import { flatten } from './alpha.ts';
import { centerCrop } from './center-crop.ts';
import { type Geometry, geometryOf, madeSize, outputSize } from './geometry.ts';
import { grayscale } from './grayscale.ts';
import { checkWork, resample } from './kernels/resample.ts';
import { grayToRgb, type Pixels } from './pixels.ts';
import { type OutputFormat, outputFormat, type Plan } from './plan.ts';
import { decisionsOf } from './provenance.ts';
import { resize } from './resize.ts';
import type { Size } from './shortest-edge.ts';
import { type EncodedTensors, tensor } from './tensor.ts';

/*
 * What runs in a worker process: decode → orient → resize/crop → grayscale → encode | tensor.
 */

/** One image's way through a worker. All of it can be cloned between processes. */
export interface PixelJob {
  readonly content: Uint8Array;
  readonly header: ImageHeader;
  /** What to make of it; it is decoded once for all that are exact. */
  readonly plans: readonly Plan[];
  readonly maxOutputPixels: number;
}

export interface PixelResult {
  readonly content: Uint8Array;
  readonly contentType: string;
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  /** Empty for an image. */
  readonly tensors: EncodedTensors['tensors'];
  readonly decisions: readonly string[];
  /** In the order in which they ran. */
  readonly stages: readonly Stage[];
}

export type PixelAnswer = { readonly result: PixelResult } | { readonly failure: WorkerFailure };

/**
 * The worker's entry: an answer for each plan, in their order. A failure is a value, anything else that is thrown is a
 * bug or a crash.
 */
export async function processPixels(job: PixelJob): Promise<readonly PixelAnswer[]> {
  const { content, header, plans, maxOutputPixels } = job;
  const decoder = createDecoder(content, header);
  const answers: PixelAnswer[] = new Array(plans.length);
  const beganMs = performance.now();
  // The exact ones first: what was decoded for them lies where the next decoding would put its own.
  const order = [...plans.entries()].sort(([, a], [, b]) => Number(isFast(a)) - Number(isFast(b)));
  for (const [index, plan] of order) {
    answers[index] = await makePixels(decoder, header, plan, maxOutputPixels, beganMs).then(
      (result) => ({ result }),
      packFailure,
    );
  }
  return answers;
}

function isFast({ numerics }: Plan): boolean {
  return numerics === 'fast';
}

type Decoder = (geometry: Geometry, plan: Plan) => Promise<Decoded>;

/** Exact numerics decode the whole source, whatever is made of it: once. */
function createDecoder(content: Uint8Array, header: ImageHeader): Decoder {
  let exact: Promise<Decoded> | undefined;
  return (geometry, plan) => {
    if (isFast(plan)) return decode(content, header, geometry, plan);
    exact ??= decode(content, header, geometry, plan);
    return exact;
  };
}

/** Loads and compiles everything that pixels need, so that the first image doesn't wait for it. */
export async function warmUp(): Promise<void> {
  const pixel: Pixels = { data: new Uint8Array(3), width: 1, height: 1, channels: 3 };
  await encode(grayscale(resample(pixel, 2, 2, 'bilinear')), 'png', undefined);
}

async function makePixels(
  decodeFor: Decoder,
  header: ImageHeader,
  plan: Plan,
  maxOutputPixels: number,
  beganMs: number,
): Promise<PixelResult> {
  const { time, stages } = createStopwatch(undefined, beganMs);
  const { output } = plan;
  const source = sizeUpright(header, header.orientation);
  const geometry = geometryOf(source, plan.resize, plan.crop);
  const size = plan.crop ?? outputSize(geometry);
  checkIsSome(outputSize(geometry));
  // A crop is small, and what it is cut from need not be.
  checkOutputSize(madeSize(geometry, plan), maxOutputPixels);
  checkOutputSize(size, maxOutputPixels);
  if (plan.resize && !isFast(plan)) checkWork(source, { ...geometry, filter: plan.resize.filter });
  if (output.kind === 'image') checkSides(size, outputFormat(output, header.format));
  const keepsAlpha = alphaIsKept(header, plan);

  const decoded = await time('decode', () => decodeFor(geometry, plan));
  const pixels = keepsAlpha ? decoded.pixels : flatten(decoded.pixels, plan.background);
  const resized = await time('resize', () => resize({ ...decoded, pixels }, geometry, plan));
  const { crop } = plan;
  const cropped = crop ? await time('crop', () => centerCrop(resized, crop, crop.origin)) : resized;
  const shaded = plan.grayscale ? await time('grayscale', () => grayscale(cropped)) : cropped;
  const encoded: Encoded & Partial<EncodedTensors> =
    output.kind === 'tensor'
      ? await time('tensor', () => tensor(plan.grayscale ? shaded : grayToRgb(shaded), output))
      : await time('encode', () => encode(shaded, outputFormat(output, header.format), output.quality));

  return {
    content: outOfScratch(encoded.content),
    contentType: encoded.contentType,
    width: shaded.width,
    height: shaded.height,
    tensors: encoded.tensors ?? [],
    decisions: decisionsOf(header, plan, keepsAlpha),
    stages,
  };
}

/** Alpha lives on where the answer's format has it and nobody asked for a background. */
function alphaIsKept(header: ImageHeader, plan: Plan): boolean {
  if (!header.hasAlpha || plan.background !== undefined || plan.dropsAlpha) return false;
  if (plan.output.kind === 'tensor') return false;
  return outputFormat(plan.output, header.format) !== 'jpeg';
}

function checkIsSome({ width, height }: Size): void {
  if (width >= 1 && height >= 1) return;
  throw new Failure(
    'PRESET_UNSUPPORTED',
    `The preset makes ${width} × ${height} pixels of this image: that is none. Send one that is not so thin, or choose a preset with a fixed size.`,
    { width, height },
  );
}

function checkOutputSize({ width, height }: Size, limit: number): void {
  if (width * height <= limit) return;
  throw new Failure(
    'OUTPUT_PIXELS_OVER_LIMIT',
    `The answer would have ${width} × ${height} = ${width * height} pixels; the limit is ${limit}. Ask for a smaller size.`,
    { limit, actual: width * height, width, height },
  );
}

function checkSides({ width, height }: Size, format: OutputFormat): void {
  const limit = longestSides[format];
  const actual = Math.max(width, height);
  if (actual <= limit) return;
  throw new Failure(
    'OUTPUT_PIXELS_OVER_LIMIT',
    `The answer would have ${width} × ${height} pixels; a side of a ${format.toUpperCase()} has at most ${limit}. Ask for a smaller size or for PNG.`,
    { limit, actual, width, height },
  );
}
