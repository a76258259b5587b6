import type { Geometry } from '../../image/geometry.ts';
import type { Pixels } from '../../image/pixels.ts';
import type { Plan } from '../../image/plan.ts';
import { decodingFailure } from '../decoder-failure.ts';
import type { ImageHeader } from '../header.ts';
import { decodeByLibvips, decodeFastByLibvips } from '../libvips/decode.ts';
import { readLibvipsHeader } from '../libvips/header.ts';
import { sizeUpright } from '../orient.ts';
import { orientationOf } from '../orientation.ts';
import { resampleFast } from '../resample-fast.ts';
import { hasBrokenEnding } from './ending.ts';
import { checkJpegKind } from './kind.ts';
import { readJpegMetadata } from './metadata.ts';
import { readJpegSamplesPerPixel } from './segments.ts';
import { type ShrinkFactor, shrinkFactors, turboJpeg } from './turbojpeg.ts';

export async function readHeader(content: Uint8Array): Promise<ImageHeader> {
  checkJpegKind(content);
  const { header } = await readLibvipsHeader(content, 'jpeg');
  return {
    ...header,
    ...orientationOf(readJpegMetadata(content)),
    samplesPerPixel: readJpegSamplesPerPixel(content) ?? header.samplesPerPixel,
  };
}

export async function decode(content: Uint8Array, header: ImageHeader): Promise<Pixels> {
  const pixels = decodePlain(content, header, header.colour === 'gray' ? 1 : 3, 1);
  if (pixels !== undefined) return pixels;
  checkEnding(content, header);
  return await decodeByLibvips(content, header);
}

export async function decodeFast(
  content: Uint8Array,
  header: ImageHeader,
  geometry: Geometry,
  plan: Plan,
): Promise<Pixels> {
  const shrunk = decodeShrunk(content, header, geometry, plan);
  if (shrunk !== undefined) return shrunk;
  checkEnding(content, header);
  return await decodeFastByLibvips(content, header, geometry, plan);
}

/**
 * Decodes a JPEG that needs only its DCT and its colour conversion, by TurboJPEG; with `shrink` 1 to the same bytes as
 * sharp's.
 *
 * @returns the pixels as stored; undefined where TurboJPEG is missing or refuses the file: sharp finds out what is wrong
 */
function decodePlain(
  content: Uint8Array,
  header: ImageHeader,
  channels: 1 | 3,
  shrink: ShrinkFactor,
): Pixels | undefined {
  if (header.colour === 'cmyk') return undefined;
  return turboJpeg?.decode(content, header, channels, shrink);
}

/**
 * Twice as many pixels are decoded as the output has, on each side, where the source has them: with fewer the error
 * doubles, and most of the time goes into the JPEG's Huffman codes, which are the same for any size.
 */
const decodedPerPixel = 2;

/**
 * A JPEG without a profile: by TurboJPEG no larger than needed, only its luma where gray is requested, then by our own
 * resampler.
 */
function decodeShrunk(
  content: Uint8Array,
  header: ImageHeader,
  geometry: Geometry,
  plan: Plan,
): Pixels | undefined {
  if (header.hasIccProfile) return undefined;
  const { width, height, box, canvas } = geometry;
  const channels = header.colour === 'gray' || (plan.grayscale && canvas === undefined) ? 1 : 3;
  const upright = sizeUpright(header, header.orientation);
  const [left, top, right, bottom] = box ?? [0, 0, upright.width, upright.height];
  const spare = Math.min((right - left) / width, (bottom - top) / height) / decodedPerPixel;
  const shrink = plan.resize && shrinkFactors.findLast((factor) => factor <= spare);
  const stored = decodePlain(content, header, channels, shrink ?? 1);
  return stored && resampleFast(stored, header, geometry, plan);
}

/** TurboJPEG checks a JPEG's end by itself; libvips stops at the last pixel. */
function checkEnding(content: Uint8Array, header: ImageHeader): void {
  if (!hasBrokenEnding(content)) return;
  throw decodingFailure(header, new Error('a marker after the pixels at which libjpeg stops'));
}
