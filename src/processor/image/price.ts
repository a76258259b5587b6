import { datatypes } from '../../datatypes.ts';
import type { Price } from '../admission/admission.ts';
import { codecOf } from '../codecs/codecs.ts';
import { channelsOf, type ImageHeader } from '../codecs/header.ts';
import { isFasterWhole } from '../codecs/libvips/resizes.ts';
import { kindOfArrangement } from './arrangements/arrangements.ts';
import { areaOf } from './cutout.ts';
import { type Geometry, type PlannedImage, stepsOf } from './geometry.ts';
import { isGrayscale, outputFormat, type Plan } from './plan.ts';
import type { Size } from './shortest-edge.ts';
import { kindOf } from './steps.ts';

/*
 * The price of an image, derived from its header before any pixel is decoded.
 *
 * Memory is the growth of a fresh worker's peak (VmHWM in /proc/pid/status), measured with photo-like pictures of 6, 24
 * and 48 megapixels. The unit is bytes per source pixel; the file itself is not counted:
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
 * A progressive JPEG is held as coefficients of 2 bytes, one for each sample (ITU-T T.81, G.1.2: each scan contains
 * some of the bits of all of them). A TIFF may be one strip. The output, in bytes per output pixel in addition to the 3
 * that are decoded: JPEG 0.1, PNG 6.5 (noise 9.1), WebP 4.8, a tensor of
 * FP32 12.
 *
 * Times are from the same runs, in nanoseconds of CPU per pixel. Admission learns how they relate to the current
 * machine.
 */

/** Per output pixel: bytes in addition to the pixels, and nanoseconds. */
const encoding = {
  jpeg: { bytes: 1, time: 10 },
  png: { bytes: 9, time: 50 },
  webp: { bytes: 5.5, time: 90 },
} as const;

/** Nanoseconds per source pixel that is resampled, for the two passes of the resampler. */
const resamplingTime = { pillow: 3, torch: 3, opencv: 3, fast: 1 } as const;

/** Memory and time that every image takes: code that runs for the first time, buffers of the codecs. */
const fixedBytes = 10_000_000;
const fixedMs = 3;

/** Milliseconds to decode an image, without its `structureMs`. */
export function decodingMs(header: ImageHeader): number {
  return msOf(header, codecOf(header.format).price.decodingTime(header));
}

/** The same for a file that is neither progressive nor interlaced. */
export function plainDecodingMs(header: ImageHeader): number {
  const { plainDecodingTime, decodingTime } = codecOf(header.format).price;
  return msOf(header, plainDecodingTime?.(header) ?? decodingTime({ ...header, isProgressive: false }));
}

function msOf({ width, height }: Size, timePerPixel: number): number {
  return fixedMs + (width * height * timePerPixel) / 1e6;
}

/**
 * The price of processing an image in a worker.
 *
 * @param encodedBytes - length of the source
 * @param images - its outputs, within the limits of limits.ts
 */
export function priceOf(header: ImageHeader, encodedBytes: number, images: readonly PlannedImage[]): Price {
  const pixels = areaOf(header);
  // The whole source is in memory if one of the plans needs all pixels.
  const isWhole = images.some((image) => reducedPixels(header, image) === undefined);
  const decoding = codecOf(header.format).price;
  const sourceBytes = decoding.heldBytes(header) + (isWhole ? decodedBytes(header) : 0);
  const outputs = images.map((image) => outputPrice(header, image));
  const outputsMs = sumOf(outputs, ({ time }) => time) / 1e6;
  const onceMs = decodingMs(header) - fixedMs + (header.structureMs ?? 0);
  return {
    memoryBytes: Math.ceil(
      fixedBytes +
        (decoding.fixedBytes ?? 0) +
        encodedBytes +
        pixels * sourceBytes +
        sumOf(outputs, ({ bytes }) => bytes),
    ),
    workMs: fixedMs + decodingsOf(images) * onceMs + outputsMs,
    waitingBytes: encodedBytes,
  };
}

/** Exact numerics decode once for all plans; each plan of fast numerics decodes to its own size. */
function decodingsOf(images: readonly PlannedImage[]): number {
  const fast = images.filter(({ plan }) => plan.numerics === 'fast').length;
  return fast + Number(fast < images.length);
}

function outputPrice(header: ImageHeader, image: PlannedImage): { bytes: number; time: number } {
  const { plan, geometry } = image;
  const pixels = sumOf(geometry.pictures, areaOf);
  const steps = stepsOf(geometry);
  const { bytes, time } = encodingPrice(header, plan);
  const newPixels =
    sumOf(steps, (placed) => kindOf(placed.step).newPixels?.(placed) ?? 0) + tilePixels(geometry);
  const resampledPixels = sumOf(steps, (placed) => kindOf(placed.step).resampledPixels?.(placed) ?? 0);
  const arranging = arrangingPrice(image);
  return {
    bytes:
      ((reducedPixels(header, image) ?? 0) + newPixels) * channelsOf(header) +
      pixels * bytes +
      arranging.bytes,
    time: resampledPixels * resamplingTime[plan.numerics] + pixels * time + arranging.time,
  };
}

/** For arrangements that resize values. */
function arrangingPrice({ plan, geometry }: PlannedImage): { bytes: number; time: number } {
  const { output } = plan;
  if (output.kind !== 'tensor' || output.arrangement === undefined) return { bytes: 0, time: 0 };
  const { arrangement } = output;
  const channels = isGrayscale(plan) ? 1 : 3;
  return (
    kindOfArrangement(arrangement).price?.(arrangement, geometry.pictures, channels) ?? { bytes: 0, time: 0 }
  );
}

/** Pixels of the tiles, which are cut from a picture that stays in memory. */
function tilePixels({ branches }: Geometry): number {
  return sumOf(branches, ({ picture, tiles }) => (tiles === undefined ? 0 : areaOf(picture)));
}

/**
 * The source pixels that fast numerics decode: less than twice each side of the resampled size, but for JPEG at
 * least an eighth of the source. Undefined if all pixels are decoded.
 */
function reducedPixels(header: ImageHeader, { plan, geometry }: PlannedImage): number | undefined {
  const [first] = stepsOf(geometry);
  if (plan.numerics !== 'fast' || first?.step.kind !== 'resize') return undefined;
  if (isFasterWhole(header, first.step.filter)) return undefined;
  const source = areaOf(geometry.source);
  return Math.min(source, Math.max(4 * areaOf(first.computed), source / 64));
}

/** Per pixel of the processed picture. */
function encodingPrice(header: ImageHeader, plan: Plan): { bytes: number; time: number } {
  const { output } = plan;
  if (output.kind === 'image') return encoding[outputFormat(output, header.format)];
  const channels = isGrayscale(plan) ? 1 : 3;
  return { bytes: channels * (datatypes[output.datatype].bytes + 1), time: channels * 4 };
}

/**
 * Bytes per pixel, at 8 bits per sample. CMYK and its RGB exist at the same time; so do pixels and their turned copy.
 */
function decodedBytes(header: ImageHeader): number {
  const upright = header.orientation > 1 ? channelsOf(header) : 0;
  return channelsOf(header) + (header.colour === 'cmyk' ? 3 : 0) + upright;
}

function sumOf<T>(values: readonly T[], figureOf: (value: T) => number): number {
  return values.reduce((total, value) => total + figureOf(value), 0);
}
