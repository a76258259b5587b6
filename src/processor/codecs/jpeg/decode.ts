import type { Pixels } from '../../image/pixels.ts';
import type { FastDecoded, FastTarget } from '../codec.ts';
import { decodingFailure, tooManyParts } from '../decoder-failure.ts';
import type { ImageHeader } from '../header.ts';
import { decodeByLibvips, decodeFastByLibvips } from '../libvips/decode.ts';
import { readLibvipsHeader } from '../libvips/header.ts';
import { orientationOf } from '../orientation.ts';
import { hasBrokenEnding } from './ending.ts';
import { checkJpegKind } from './kind.ts';
import { readJpegMetadata } from './metadata.ts';
import { mostScans } from './scans.ts';
import { readJpegSamplesPerPixel } from './segments.ts';
import { type ShrinkFactor, shrinkFactors, TooManyScans, turboJpeg } from './turbojpeg.ts';

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
  target: FastTarget,
): Promise<FastDecoded> {
  const pixels = decodeReduced(content, header, target);
  if (pixels !== undefined) return { pixels, isResized: false };
  checkEnding(content, header);
  return await decodeFastByLibvips(content, header, target);
}

/**
 * Decodes with TurboJPEG a JPEG that needs only its DCT and its colour conversion. With `shrink` 1 the bytes equal
 * sharp's.
 *
 * @returns the pixels as stored; undefined if TurboJPEG is missing or refuses the file: sharp then finds the error
 * @throws SOURCE_PASSES_OVER_LIMIT for more scans than the structure's reader permits
 */
function decodePlain(
  content: Uint8Array,
  header: ImageHeader,
  channels: 1 | 3,
  shrink: ShrinkFactor,
): Pixels | undefined {
  if (header.colour === 'cmyk') return undefined;
  try {
    return turboJpeg?.decode(content, header, channels, shrink);
  } catch (error) {
    // The reader of the structure has counted fewer. sharp has no limit and would decode all of them.
    if (error instanceof TooManyScans) throw tooManyParts('jpeg', 'scans', mostScans, mostScans + 1);
    throw error;
  }
}

/**
 * On each side, twice as many pixels are decoded as the output has, if the source has them. Fewer would double the
 * error. They would save little: most of the time is spent on the JPEG's Huffman codes, whatever the size.
 */
const decodedPerPixel = 2;

/**
 * Decodes a JPEG without a profile by TurboJPEG, no larger than its resize needs, and only the luma if that is enough.
 *
 * @returns the pixels as stored; undefined if libvips has to decode the file
 */
function decodeReduced(
  content: Uint8Array,
  header: ImageHeader,
  { resize, lumaOnly }: FastTarget,
): Pixels | undefined {
  if (header.hasIccProfile) return undefined;
  const channels = header.colour === 'gray' || lumaOnly ? 1 : 3;
  const spare = (resize?.sourcePerPixel ?? 1) / decodedPerPixel;
  const shrink = shrinkFactors.findLast((factor) => factor <= spare) ?? 1;
  return decodePlain(content, header, channels, shrink);
}

/** TurboJPEG checks a JPEG's end by itself; libvips stops at the last pixel. */
function checkEnding(content: Uint8Array, header: ImageHeader): void {
  if (!hasBrokenEnding(content)) return;
  throw decodingFailure(header, new Error('a marker after the pixels at which libjpeg stops'));
}
