import type { OwnBytes } from '../../own-bytes.ts';
import { decodeFast, decodeWhole } from '../codecs/decode.ts';
import { type Encoded, encode } from '../codecs/encode.ts';
import type { ImageHeader } from '../codecs/header.ts';
import { createStopwatch, type Stage } from '../stopwatch.ts';
import { packFailure, type WorkerFailure } from '../workers/failure.ts';
import { freePixels, outOfScratch } from '../workers/scratch.ts';
import type { Geometry, PlannedImage } from './geometry.ts';
import { toLuma } from './grayscale.ts';
import { resample } from './kernels/resample.ts';
import { grayToRgb, type Pixels } from './pixels.ts';
import { headerOf, isGrayscale, outputFormat, type Plan } from './plan.ts';
import { decisionsOf } from './provenance.ts';
import { exactStages, fastStages } from './stages.ts';
import { type EncodedTensors, tensors } from './tensor.ts';

/*
 * The code that runs in a worker process: the stages of an image's numerics (stages.ts), then its outputs.
 */

/** The job to process one source in a worker. All of it can be cloned between processes. */
export interface PixelJob {
  readonly content: Uint8Array;
  readonly header: ImageHeader;
  /** The plans to run. The source is decoded once for all exact plans. */
  readonly images: readonly PlannedImage[];
}

export interface PixelResult {
  readonly content: OwnBytes;
  readonly contentType: string;
  /** In pixels. */
  readonly width: number;
  readonly height: number;
  /** Empty for an image output. */
  readonly tensors: EncodedTensors['tensors'];
  readonly decisions: readonly string[];
  readonly tokens: Geometry['tokens'];
  /** In the order in which they ran. */
  readonly stages: readonly Stage[];
}

export type PixelOutcome = { readonly result: PixelResult } | { readonly failure: WorkerFailure };

/**
 * The worker's entry point.
 *
 * @returns an outcome for each plan, in their order. A failure is a value; any other error is thrown as a bug
 */
export async function processPixels({ content, header, images }: PixelJob): Promise<readonly PixelOutcome[]> {
  const outcomes: PixelOutcome[] = new Array(images.length);
  const startedMs = performance.now();
  let decoded: Promise<Pixels> | undefined;
  const decodeOnce = () => {
    decoded ??= decodeWhole(content, header);
    return decoded;
  };
  // Exact plans run first: their decoded source is in the memory that the next decoding overwrites.
  const order = [...images.entries()].sort(([, a], [, b]) => Number(isFast(a.plan)) - Number(isFast(b.plan)));
  for (const [index, image] of order) {
    const processed = processImage(content, header, image, decodeOnce, startedMs);
    outcomes[index] = await processed.then((result) => ({ result }), packFailure);
  }
  await decoded?.then(({ data }) => freePixels(data)).catch(() => {});
  return outcomes;
}

function isFast({ numerics }: Plan): boolean {
  return numerics === 'fast';
}

async function processImage(
  content: Uint8Array,
  header: ImageHeader,
  { plan, geometry, key }: PlannedImage,
  decodeOnce: () => Promise<Pixels>,
  startedMs: number,
): Promise<PixelResult> {
  const { time: stage, stages } = createStopwatch(undefined, startedMs);
  const own = headerOf(header, plan);
  const run = isFast(plan) ? fastStages : exactStages;
  const pictures = await run({
    plan,
    geometry,
    orientation: own.orientation,
    decodeWhole: decodeOnce,
    decodeFast: (target) => decodeFast(content, own, target),
    stage,
  });
  const encoded = await encodeOutput(pictures, { geometry, key }, header, plan, stage);
  // The other exact plans read the source as well.
  const read = isFast(plan) ? [] : [(await decodeOnce()).data];
  for (const { data } of pictures) freePixels(data, ...read, encoded.content);
  const { width, height } = geometry.picture;
  return {
    content: outOfScratch(encoded.content),
    contentType: encoded.contentType,
    width,
    height,
    tensors: encoded.tensors ?? [],
    decisions: decisionsOf(header, plan, geometry.keepsAlpha),
    tokens: geometry.tokens,
    stages,
  };
}

async function encodeOutput(
  pictures: readonly Pixels[],
  { geometry, key }: Pick<PlannedImage, 'geometry' | 'key'>,
  { format }: ImageHeader,
  plan: Plan,
  stage: ReturnType<typeof createStopwatch>['time'],
): Promise<Encoded & Partial<EncodedTensors>> {
  const { output } = plan;
  if (output.kind === 'image') {
    // The rules allow an image output only for plans of one picture.
    const picture = pictures[0] as Pixels;
    return await stage('encode', () => encode(picture, outputFormat(output, format), output.quality));
  }
  const inColour = isGrayscale(plan) ? pictures : pictures.map(grayToRgb);
  return await stage('tensor', () => tensors(inColour, geometry, output, key));
}

/** Loads and compiles everything that pixels need, so that the first image does not wait for it. */
export async function warmUp(): Promise<void> {
  const pixel: Pixels = { data: new Uint8Array(3), width: 1, height: 1, channels: 3 };
  await encode(toLuma(resample(pixel, 2, 2, 'bilinear')), 'png', undefined);
}
