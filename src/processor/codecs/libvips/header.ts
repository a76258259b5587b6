import type { Metadata } from 'sharp';
import { Failure } from '../../../failures.ts';
import type { SourceFormat } from '../codecs.ts';
import { decoderFailure } from '../decoder-failure.ts';
import type { ImageHeader } from '../header.ts';
import type { Orientation } from '../orientation.ts';
import { sharp } from './sharp.ts';

/** A header without its orientation: libvips does not find every orientation that Pillow finds. */
export interface LibvipsHeader {
  readonly header: Omit<ImageHeader, keyof Orientation>;
  readonly metadata: Metadata;
}

/** sharp's names of the colour spaces that docs/numerics.md lists. */
const colourBySpace: Readonly<Record<string, ImageHeader['colour']>> = {
  srgb: 'rgb',
  rgb: 'rgb',
  rgb16: 'rgb',
  'b-w': 'gray',
  grey16: 'gray',
  cmyk: 'cmyk',
};

/** sharp's names of chroma subsampling. */
const samplesBySubsampling: Readonly<Record<string, number>> = { '4:2:0': 1.5, '4:2:2': 2, '4:1:1': 1.5 };

/**
 * Reads an image's header by libvips.
 *
 * @param hasUnspecifiedSample - whether the channel that libvips reads as alpha is not alpha
 * @throws FORMAT_UNSUPPORTED, IMAGE_CORRUPT
 */
export async function readLibvipsHeader(
  content: Uint8Array,
  format: SourceFormat,
  hasUnspecifiedSample = false,
): Promise<LibvipsHeader> {
  const metadata = await sharp(content, { limitInputPixels: false })
    .metadata()
    .catch((cause: unknown) => {
      throw decoderFailure(cause, format, `The header of this ${format.toUpperCase()} cannot be read.`);
    });
  const { width, height, depth, space } = metadata;
  const dropsSample = metadata.hasAlpha && hasUnspecifiedSample;
  const channels = metadata.channels - Number(dropsSample);
  const hasAlpha = metadata.hasAlpha && !dropsSample;
  const colour = colourBySpace[space];
  const bitDepth = depth === 'uchar' ? 8 : depth === 'ushort' ? 16 : undefined;
  if (colour === undefined || bitDepth === undefined || !isReadable(colour, bitDepth, hasAlpha, channels)) {
    throw new Failure(
      'FORMAT_UNSUPPORTED',
      `The pixels of this ${format.toUpperCase()} are ${channels} × ${depth} in the colour space ${space}; gray and RGB of 8 or 16 bits, with or without alpha, and CMYK of 8 bits are supported.`,
      { channels, depth, colour_space: space },
    );
  }
  return {
    header: {
      format,
      width,
      height,
      colour,
      bitDepth,
      hasAlpha,
      ...(dropsSample && { dropsSample }),
      hasIccProfile: metadata.hasProfile,
      frames: metadata.pages ?? 1,
      isProgressive: metadata.isProgressive,
      samplesPerPixel: samplesBySubsampling[metadata.chromaSubsampling ?? ''] ?? channels,
    },
    metadata,
  };
}

/** TIFFs with other channels never pass: any number and meaning, CMYK with alpha or of 16 bits. */
function isReadable(
  colour: ImageHeader['colour'],
  bitDepth: ImageHeader['bitDepth'],
  hasAlpha: boolean,
  channels: number,
): boolean {
  if (colour === 'cmyk') return channels === 4 && bitDepth === 8;
  return channels === (colour === 'gray' ? 1 : 3) + (hasAlpha ? 1 : 0);
}
