import type { Price } from '../admission/admission.ts';
import { codecOf } from '../codecs/codecs.ts';
import { channelsOf, type ImageHeader } from '../codecs/header.ts';
import { sizeUpright } from '../codecs/orient.ts';
import { geometryOf, madeSize, outputSize } from './geometry.ts';
import { outputFormat, type Plan, type TensorPlan } from './plan.ts';
import type { Size } from './shortest-edge.ts';

/*
 * What an image costs, told from its header before a pixel of it is decoded.
 *
 * Memory is the growth of a fresh worker's peak (VmHWM in /proc/pid/status) over what it held before, measured with
 * photo-like pictures of 6, 24 and 48 megapixels; in bytes a source pixel, the file itself not counted:
 *
 *   source                           exact   of that held by the decoder   fast → 1024 × 768
 *   JPEG 4:2:0, 4:4:4                 3.1     0.1                          0.3 (1.4 at 6 MP)
 *   JPEG progressive, gray            3.0     2                            2.3
 *   JPEG progressive, 4:2:0           6.0     3                            3.2
 *   JPEG progressive, 4:4:4           9.0     6                            6.2
 *   PNG; of 16 bits                   3.9     0.9                          1.8; 3.3
 *   PNG interlaced                    6.0     3                            4.0
 *   WebP; lossless                   10.4     7.4                          1.7; 4.7
 *   AVIF; of 10 or 12 bits           19.1    16.1; 24                    19.7
 *   AVIF with alpha; of 10 bits      32.8    28.8
 *   GIF                               7.3     4.3                          5.7
 *   TIFF in strips; in tiles          4.4     1.4                          2.1
 *
 * A progressive JPEG is held as coefficients of 2 bytes, one for each sample (ITU-T T.81, G.1.2: each scan has some
 * of the bits of all of them). A TIFF may be one strip. The answer, in bytes an answer's pixel beside the decoded 3:
 * JPEG 0.1, PNG 2.4, WebP 4.8, a tensor of FP32 12.
 *
 * Times are of the same runs, in nanoseconds of CPU a pixel; how they compare to a machine's is learnt by admission.
 */

/** Bytes beside the answer's pixels, and nanoseconds; both a pixel. */
const encoding = {
  jpeg: { bytes: 1, time: 10 },
  png: { bytes: 3, time: 50 },
  webp: { bytes: 5.5, time: 90 },
} as const;

const datatypeBytes = { UINT8: 1, FP16: 2, BF16: 2, FP32: 4 } as const satisfies Record<
  TensorPlan['datatype'],
  number
>;

/** Nanoseconds a source pixel that is resampled: two passes of the resampler. */
const resamplingTime = { exact: 3, fast: 1 } as const;

/** What every image takes: code that is run for the first time, buffers of the codecs. */
const fixedBytes = 10_000_000;
const fixedMs = 3;

/** Milliseconds to decode an image, without its `structureMs`. */
export function decodingMs(header: ImageHeader): number {
  return msOf(header, codecOf(header.format).price.decodingTime(header));
}

/** The same for a file that isn't progressive or interlaced. */
export function plainDecodingMs(header: ImageHeader): number {
  const { plainDecodingTime, decodingTime } = codecOf(header.format).price;
  return msOf(header, plainDecodingTime?.(header) ?? decodingTime({ ...header, isProgressive: false }));
}

function msOf({ width, height }: Size, timePerPixel: number): number {
  return fixedMs + (width * height * timePerPixel) / 1e6;
}

/**
 * The price of an image's way through a worker.
 *
 * @param encodedBytes - length of the source
 * @param plans - what is made of it
 * @param maxOutputPixels - of each: what is larger is refused by the worker, before it is made
 */
export function priceOf(
  header: ImageHeader,
  encodedBytes: number,
  plans: readonly Plan[],
  maxOutputPixels: number,
): Price {
  const pixels = header.width * header.height;
  // Where one answer needs all pixels, they are all there.
  const isWhole = plans.some(({ numerics, resize }) => numerics === 'exact' || resize === undefined);
  const sourceBytes = codecOf(header.format).price.heldBytes(header) + (isWhole ? decodedBytes(header) : 0);
  const answers = plans.map((plan) => answerPrice(header, plan, maxOutputPixels));
  const answersMs = sumOf(answers, ({ time }) => time) / 1e6;
  const onceMs = decodingMs(header) - fixedMs + (header.structureMs ?? 0);
  return {
    memoryBytes: Math.ceil(
      fixedBytes + encodedBytes + pixels * sourceBytes + sumOf(answers, ({ bytes }) => bytes),
    ),
    workMs: fixedMs + decodingsOf(plans) * onceMs + answersMs,
    waitingBytes: encodedBytes,
  };
}

/** Exact numerics decode once for all plans; each plan of fast numerics decodes to its own size. */
function decodingsOf(plans: readonly Plan[]): number {
  const fast = plans.filter(({ numerics }) => numerics === 'fast').length;
  return fast + Number(fast < plans.length);
}

function answerPrice(
  header: ImageHeader,
  plan: Plan,
  maxOutputPixels: number,
): { bytes: number; time: number } {
  const source = header.width * header.height;
  const { resize, crop, numerics } = plan;
  const geometry = geometryOf(sizeUpright(header, header.orientation), resize, crop);
  const pixelsOf = ({ width, height }: Size) => Math.min(width * height, maxOutputPixels);
  const sizeMade = madeSize(geometry, plan);
  const made = pixelsOf(sizeMade);
  const answer = crop === undefined ? made : pixelsOf(crop);
  const { bytes, time } = outputPrice(header, plan);
  const shrunkPixels = resize !== undefined && numerics === 'fast' ? shrunk(source, made) : 0;
  const madePixels = resize === undefined && crop === undefined ? 0 : made;
  // A crop that takes all of what was made is that.
  const croppedPixels = answer === made ? 0 : answer;
  const resampled = resize === undefined ? 0 : source * shareOf(sizeMade, outputSize(geometry));
  return {
    bytes: (shrunkPixels + madePixels + croppedPixels) * channelsOf(header) + answer * bytes,
    time: resampled * resamplingTime[numerics] + answer * time,
  };
}

/** What part of an image's pixels another one has. */
function shareOf(part: Size, whole: Size): number {
  return (part.width * part.height) / Math.max(1, whole.width * whole.height);
}

/**
 * Pixels of a source that is shrunk while it is decoded: to less than twice each side of what is made of it, but a
 * JPEG to no less than an eighth.
 */
function shrunk(source: number, made: number): number {
  return Math.min(source, Math.max(4 * made, source / 64));
}

function outputPrice(header: ImageHeader, { output, grayscale }: Plan): { bytes: number; time: number } {
  if (output.kind === 'image') return encoding[outputFormat(output, header.format)];
  const channels = grayscale ? 1 : 3;
  return { bytes: channels * (datatypeBytes[output.datatype] + 1), time: channels * 4 };
}

/** Bytes a pixel, as 8 bits each. CMYK is there beside the RGB that is made of it; so is what is turned upright. */
function decodedBytes(header: ImageHeader): number {
  const upright = header.orientation > 1 ? channelsOf(header) : 0;
  return channelsOf(header) + (header.colour === 'cmyk' ? 3 : 0) + upright;
}

function sumOf<T>(values: readonly T[], figureOf: (value: T) => number): number {
  return values.reduce((total, value) => total + figureOf(value), 0);
}
