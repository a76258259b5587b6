import sharp, { type KernelEnum, type Sharp, type SharpOptions } from 'sharp';
import { Failure } from '../../failures.ts';
import { cmykToRgb } from './cmyk.ts';
import type { Geometry } from './geometry.ts';
import type { ImageHeader } from './header.ts';
import type { Pixels } from './pixels.ts';
import type { Filter, Plan } from './plan.ts';

/**
 * Decodes an image and turns it upright.
 *
 * @returns [height, width, channels] uint8: 1 for gray, 3 for colour, 4 where there is alpha. In exact
 *   numerics the whole source; in fast numerics it is resampled to the geometry already
 * @throws IMAGE_CORRUPT
 */
export function decode(
  content: Uint8Array,
  header: ImageHeader,
  geometry: Geometry,
  plan: Plan,
): Promise<Pixels> {
  return plan.numerics === 'exact'
    ? decodeExact(content, header)
    : decodeFast(content, header, geometry, plan);
}

/**
 * The bytes that Pillow has after `ImageOps.exif_transpose` and its conversions: ICC profiles ignored,
 * 16 bits to 8 by the high byte (Pillow clips there), CMYK by Pillow's formula, palettes expanded, the
 * first frame.
 */
async function decodeExact(content: Uint8Array, header: ImageHeader): Promise<Pixels> {
  const image = sharp(content, { ...commonOptions, ignoreIcc: true });
  if (header.colour === 'cmyk') {
    return cmykToRgb(await pixelsOf(image.pipelineColourspace('cmyk').toColourspace('cmyk'), header));
  }
  return pixelsOf(image, header);
}

/**
 * libvips' way: JPEG and WebP shrink while they are decoded, ICC profiles are converted to sRGB. Not
 * Pillow's pixels; docs/numerics.md has the error.
 */
async function decodeFast(
  content: Uint8Array,
  header: ImageHeader,
  geometry: Geometry,
  plan: Plan,
): Promise<Pixels> {
  const image = sharp(content, commonOptions);
  if (plan.resize === undefined) return pixelsOf(image, header);
  const { width, height } = geometry;
  const kernel = libvipsKernels[plan.resize.filter];
  const fit = plan.resize.fit === 'cover' ? 'cover' : 'fill';
  return pixelsOf(image.resize({ width, height, fit, ...(kernel && { kernel }) }), header);
}

/** The filters that libvips has; rules.ts refuses the others for fast numerics. */
export const libvipsKernels: Readonly<Partial<Record<Filter, keyof KernelEnum>>> = {
  nearest: 'nearest',
  bilinear: 'linear',
  bicubic: 'cubic',
  lanczos: 'lanczos3',
};

const commonOptions: SharpOptions = {
  autoOrient: true,
  // Not 'warning': what libjpeg and libpng only warn of, Pillow takes as well.
  failOn: 'error',
  // The header has been judged by our own limit.
  limitInputPixels: false,
};

async function pixelsOf(image: Sharp, header: ImageHeader): Promise<Pixels> {
  const { data, info } = await inOwnChannels(image, header)
    .raw()
    .toBuffer({ resolveWithObject: true })
    .catch((cause: unknown) => {
      throw new Failure(
        'IMAGE_CORRUPT',
        `The ${header.format.toUpperCase()} (${header.width} × ${header.height}) cannot be decoded: it is cut off or damaged.`,
        { format: header.format },
        { cause },
      );
    });
  return { data, width: info.width, height: info.height, channels: info.channels as Pixels['channels'] };
}

/** Gray stays one channel, where sharp would make three of it. */
function inOwnChannels(image: Sharp, { colour, hasAlpha, bitDepth }: ImageHeader): Sharp {
  if (colour !== 'gray' || hasAlpha) return image;
  // From 16 bits "b-w" is off by one in a third of all values; of R = G = B each is the high byte.
  return bitDepth === 16 ? image.extractChannel(0) : image.toColourspace('b-w');
}
