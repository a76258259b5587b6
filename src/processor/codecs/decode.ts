import sharp, { type KernelEnum, type Sharp, type SharpOptions } from 'sharp';
import type { Failure } from '../../failures.ts';
import type { fastFilters } from '../../options/image-options.ts';
import { cutUpright, wholeOf } from '../image/cutout.ts';
import type { Geometry } from '../image/geometry.ts';
import { resampleUpright } from '../image/kernels/resample.ts';
import type { Pixels } from '../image/pixels.ts';
import type { Filter, Plan, SourceFormat } from '../image/plan.ts';
import { decodeAvif } from './avif/decode.ts';
import { decodeBmp } from './bmp/decode.ts';
import { cmykToRgb } from './cmyk.ts';
import { decoderFailure } from './decoder-failure.ts';
import { decodeGif } from './gif/decode.ts';
import type { ImageHeader } from './header.ts';
import { hasBrokenEnding } from './jpeg/ending.ts';
import { type ShrinkFactor, shrinkFactors, turboJpeg } from './jpeg/turbojpeg.ts';
import { orient, sizeUpright } from './orient.ts';

/** What a decoder gives. */
export interface Decoded {
  readonly pixels: Pixels;
  /** EXIF's orientation by which they have yet to be turned, which the resize does; 1 where they are upright. */
  readonly orientation: number;
}

/**
 * Decodes an image.
 *
 * @returns [height, width, channels] uint8: 1 for gray, 3 for colour, 4 where there is alpha; it may lie in the
 *   scratch memory. In exact numerics the whole source; in fast numerics it is resampled to the geometry already, to
 *   its cutout alone or to all
 * @throws IMAGE_CORRUPT, OVERLOADED
 */
export async function decode(
  content: Uint8Array,
  header: ImageHeader,
  geometry: Geometry,
  plan: Plan,
): Promise<Decoded> {
  if (plan.numerics === 'exact') {
    const stored = decodePlainJpeg(content, header, header.colour === 'gray' ? 1 : 3, 1);
    if (stored !== undefined) return { pixels: stored, orientation: header.orientation };
    return { pixels: await decodeExact(content, header), orientation: header.orientation };
  }
  if (header.dropsSample || header.format === 'avif' || header.format in ownDecoders) {
    const stored = await decodeExact(content, header);
    return { pixels: resampleFast(stored, header, geometry, plan), orientation: 1 };
  }
  const shrunk = decodeShrunk(content, header, geometry, plan);
  return { pixels: shrunk ?? (await decodeFast(content, header, geometry, plan)), orientation: 1 };
}

/**
 * The bytes that Pillow has before `ImageOps.exif_transpose` and after its conversions: ICC profiles ignored,
 * 16 bits to 8 by the high byte (Pillow clips there), CMYK by Pillow's formula, palettes expanded, the
 * first frame.
 */
async function decodeExact(content: Uint8Array, header: ImageHeader): Promise<Pixels> {
  const decodeByOurselves = ownDecoders[header.format];
  if (decodeByOurselves !== undefined) {
    const pixels = decodeByOurselves(content);
    if (pixels === undefined) throw failureOf(header, new Error('pixels are damaged or missing'));
    return pixels;
  }
  if (header.format === 'avif') return decodeAvif(content);
  checkEnding(content, header);
  const image = sharp(content, { ...optionsFor(header), ignoreIcc: true });
  if (header.colour === 'cmyk') {
    return cmykToRgb(await pixelsOf(image.pipelineColourspace('cmyk').toColourspace('cmyk'), header));
  }
  return pixelsOf(image, header);
}

/** Decoders of our own, for formats whose bytes no library gives as Pillow does: undefined where pixels are missing. */
const ownDecoders: Readonly<Partial<Record<SourceFormat, (content: Uint8Array) => Pixels | undefined>>> = {
  bmp: decodeBmp,
  gif: decodeGif,
};

/**
 * A JPEG that needs no more than its DCT and its colours, by TurboJPEG; with `shrink` 1 the same bytes as sharp's.
 *
 * @returns the pixels as stored; undefined where TurboJPEG is missing or will not have it: what is wrong with it
 *   sharp finds out
 */
function decodePlainJpeg(
  content: Uint8Array,
  header: ImageHeader,
  channels: 1 | 3,
  shrink: ShrinkFactor,
): Pixels | undefined {
  if (header.format !== 'jpeg' || header.colour === 'cmyk') return undefined;
  return turboJpeg?.decode(content, header, channels, shrink);
}

/**
 * Twice as many pixels are decoded as the answer has, on each side, where the source has them: with fewer the error
 * doubles, and most of the time goes into the JPEG's Huffman codes, which are the same for any size.
 */
const decodedPerPixel = 2;

/**
 * A JPEG without a profile: by TurboJPEG no larger than needed, of luma alone where gray is asked for, then by our
 * own resampler.
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
  const stored = decodePlainJpeg(content, header, channels, shrink ?? 1);
  return stored && resampleFast(stored, header, geometry, plan);
}

/**
 * What is asked for of a source that is decoded already, by our own resampler.
 *
 * @param stored - the source or a smaller version of it, as stored
 */
function resampleFast(
  stored: Pixels,
  header: ImageHeader,
  { width, height, box, cutout }: Geometry,
  plan: Plan,
): Pixels {
  const upright = sizeUpright(header, header.orientation);
  const [left, top, right, bottom] = box ?? [0, 0, upright.width, upright.height];
  if (plan.resize === undefined) {
    return cutUpright(stored, header.orientation, cutout ?? wholeOf(upright));
  }
  // Sides are rounded up: what part the box is of each stays the same.
  const shrunk = sizeUpright(stored, header.orientation);
  const [across, down] = [shrunk.width / upright.width, shrunk.height / upright.height];
  const part = [
    left * across,
    top * down,
    Math.min(shrunk.width, right * across),
    Math.min(shrunk.height, bottom * down),
  ] as const;
  const target = { width, height, filter: plan.resize.filter, box: part, cutout };
  return resampleUpright(stored, header.orientation, target, false);
}

/**
 * libvips' way: WebP shrinks while it is decoded, and JPEG where TurboJPEG is missing; ICC profiles are converted
 * to sRGB. Not Pillow's pixels; docs/numerics.md has the error.
 */
async function decodeFast(
  content: Uint8Array,
  header: ImageHeader,
  geometry: Geometry,
  plan: Plan,
): Promise<Pixels> {
  checkEnding(content, header);
  const image = sharp(content, optionsFor(header));
  const { orientation } = header;
  if (plan.resize === undefined) return orient(await pixelsOf(image, header), orientation);
  // The size that becomes the one asked for when it is turned.
  const { width, height } = sizeUpright(geometry, orientation);
  const kernel = libvipsKernels[plan.resize.filter];
  const fit = plan.resize.fit === 'cover' ? 'cover' : 'fill';
  const stored = await pixelsOf(image.resize({ width, height, fit, ...(kernel && { kernel }) }), header);
  return orient(stored, orientation);
}

/** The filters of fast numerics by libvips' names; rules.ts refuses the others. */
const libvipsKernels: Readonly<Partial<Record<Filter, keyof KernelEnum>>> = {
  nearest: 'nearest',
  bilinear: 'linear',
  bicubic: 'cubic',
  lanczos: 'lanczos3',
} satisfies Record<(typeof fastFilters)[number], keyof KernelEnum>;

function optionsFor({ isTiled }: ImageHeader): SharpOptions {
  return {
    // Not autoOrient: libvips has its own idea of where an orientation may stand.
    // What libjpeg and libpng only warn of, Pillow takes as well; a tile that libvips can't decode is black and a warning.
    failOn: isTiled ? 'warning' : 'error',
    // The header has been judged by our own limit.
    limitInputPixels: false,
  };
}

async function pixelsOf(image: Sharp, header: ImageHeader): Promise<Pixels> {
  const { data, info } = await inOwnChannels(image, header)
    .raw()
    .toBuffer({ resolveWithObject: true })
    .catch((cause: unknown) => {
      throw failureOf(header, cause);
    });
  return { data, width: info.width, height: info.height, channels: info.channels as Pixels['channels'] };
}

/** TurboJPEG looks at a JPEG's end by itself, libvips stops at the last pixel. */
function checkEnding(content: Uint8Array, header: ImageHeader): void {
  if (header.format !== 'jpeg' || !hasBrokenEnding(content)) return;
  throw failureOf(header, new Error('a marker behind the pixels at which libjpeg stops'));
}

function failureOf({ format, width, height }: ImageHeader, cause: unknown): Failure {
  return decoderFailure(
    cause,
    format,
    `The ${format.toUpperCase()} (${width} × ${height}) cannot be decoded: it is cut off or damaged.`,
  );
}

/** Gray stays one channel, where sharp would make three of it. */
function inOwnChannels(image: Sharp, { colour, hasAlpha, dropsSample, bitDepth }: ImageHeader): Sharp {
  if (dropsSample) return colour === 'gray' ? image.extractChannel(0) : image.removeAlpha();
  if (colour !== 'gray' || hasAlpha) return image;
  // From 16 bits "b-w" is off by one in a third of all values; of R = G = B each is the high byte.
  return bitDepth === 16 ? image.extractChannel(0) : image.toColourspace('b-w');
}
