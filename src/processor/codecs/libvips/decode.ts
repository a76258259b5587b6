import type { KernelEnum, Sharp, SharpOptions } from 'sharp';
import type { fastFilters } from '../../../options/image-options.ts';
import type { FilterName } from '../../image/kernels/weights.ts';
import type { Pixels } from '../../image/pixels.ts';
import { cmykToRgb } from '../cmyk.ts';
import type { FastDecoded, FastTarget } from '../codec.ts';
import { decodingFailure } from '../decoder-failure.ts';
import type { ImageHeader } from '../header.ts';
import { sizeUpright } from '../orient.ts';
import { libvipsResizes } from './resizes.ts';
import { sharp } from './sharp.ts';

/** See `Decoder.decode`. */
export async function decodeByLibvips(content: Uint8Array, header: ImageHeader): Promise<Pixels> {
  const image = sharp(content, { ...optionsFor(header), ignoreIcc: true });
  if (header.colour === 'cmyk') {
    return cmykToRgb(await pixelsOf(image.pipelineColourspace('cmyk').toColourspace('cmyk'), header));
  }
  return pixelsOf(image, header);
}

/**
 * See `Decoder.decodeFast`. WebP, and JPEG if TurboJPEG is missing, are decoded at a smaller size; ICC profiles are
 * converted to sRGB. The pixels differ from Pillow's; docs/numerics.md states the error.
 */
export async function decodeFastByLibvips(
  content: Uint8Array,
  header: ImageHeader,
  { resize }: FastTarget,
): Promise<FastDecoded> {
  const image = sharp(content, optionsFor(header));
  if (resize === undefined || !libvipsResizes(header, resize)) {
    return { pixels: await pixelsOf(image, header), isResized: false };
  }
  // libvips resizes before the image is turned upright.
  const { width, height } = sizeUpright(resize, header.orientation);
  const kernel = libvipsKernels[resize.filter];
  const fit = resize.isCover ? 'cover' : 'fill';
  const resized = image.resize({ width, height, fit, ...(kernel && { kernel }) });
  return { pixels: await pixelsOf(resized, header), isResized: true };
}

/** The filters of fast numerics by libvips' names; rules.ts refuses all others. */
const libvipsKernels: Readonly<Partial<Record<FilterName, keyof KernelEnum>>> = {
  nearest: 'nearest',
  bilinear: 'linear',
  bicubic: 'cubic',
  lanczos: 'lanczos3',
} satisfies Record<(typeof fastFilters)[number], keyof KernelEnum>;

function optionsFor({ isTiled }: ImageHeader): SharpOptions {
  return {
    // Not autoOrient: libvips does not find every orientation that Pillow finds.
    // Pillow accepts files for which libjpeg and libpng only warn. For a TIFF tile that cannot be decoded, libvips
    // returns black and warns.
    failOn: isTiled ? 'warning' : 'error',
    // The header has been checked against our own limit.
    limitInputPixels: false,
  };
}

async function pixelsOf(image: Sharp, header: ImageHeader): Promise<Pixels> {
  const { data, info } = await inOwnChannels(image, header)
    .raw()
    .toBuffer({ resolveWithObject: true })
    .catch((cause: unknown) => {
      throw decodingFailure(header, cause);
    });
  return { data, width: info.width, height: info.height, channels: info.channels as Pixels['channels'] };
}

/** Gray keeps one channel; sharp would return three. */
function inOwnChannels(image: Sharp, { colour, hasAlpha, dropsSample, bitDepth }: ImageHeader): Sharp {
  if (dropsSample) return colour === 'gray' ? image.extractChannel(0) : image.removeAlpha();
  if (colour !== 'gray' || hasAlpha) return image;
  // Converting 16 bits to "b-w" is off by one in a third of all values. With R = G = B, each is the high byte.
  return bitDepth === 16 ? image.extractChannel(0) : image.toColourspace('b-w');
}
