import { Failure } from '../../../failures.ts';
import type { Pixels } from '../../image/pixels.ts';
import { sharp } from '../libvips/sharp.ts';
import { fillAlpha, unpremultiply } from './alpha.ts';
import { conversionOf } from './conversion.ts';
import { fillByFixed } from './fixed-rgb.ts';
import { fillByFloat, toGray } from './float-rgb.ts';
import { readAvif } from './header.ts';
import type { CodedImage, Layer } from './picture.ts';
import { lumaChannel, type Planes } from './planes.ts';
import { planesFile } from './planes-file.ts';
import type { SequenceHeader } from './sequence-header.ts';

export { readAvifHeader as readHeader } from './header.ts';

/**
 * Decodes an AVIF's picture to Pillow's bytes. libvips decodes the planes of each AV1 image. The grid, the range, the
 * matrix, the interpolation of chroma and the division by alpha are computed here, as libavif does.
 *
 * @returns [height, width, channels] uint8, before `irot` and `imir`: 1 channel for gray, 3 for colour, 4 with alpha
 * @throws IMAGE_CORRUPT, FORMAT_UNSUPPORTED
 */
export async function decode(content: Uint8Array): Promise<Pixels> {
  const { picture, colour, alpha } = readAvif(content);
  const { width, height } = picture.colour;
  const coding = picture.coding ?? colour.colour;
  const planes = await planesOf(picture.colour, colour);
  const hasAlpha = picture.alpha !== undefined && alpha !== undefined;
  if (colour.isMonochrome && !hasAlpha) {
    return { data: toGray(planes, colour.depth, coding.isFullRange), width, height, channels: 1 };
  }
  const channels = hasAlpha ? 4 : 3;
  const data = new Uint8Array(width * height * channels);
  const conversion = conversionOf(colour, coding);
  const isFixed = conversion.kind === 'fixed';
  if (isFixed) fillByFixed(planes, colour, conversion, hasAlpha, data);
  else fillByFloat(planes, colour, conversion, hasAlpha, data);
  if (hasAlpha) {
    fillAlpha(await planesOf(picture.alpha, alpha), alpha, isFixed, data);
    if (picture.isPremultiplied) unpremultiply(data);
  }
  return { data, width, height, channels };
}

/** The planes of a layer, assembled from its tiles. */
async function planesOf({ width, height, columns, tiles }: Layer, sequence: SequenceHeader): Promise<Planes> {
  const [only] = tiles;
  if (tiles.length === 1 && only?.width === width && only.height === height)
    return await decodeTile(only, sequence);
  const channels = sequence.isMonochrome ? 1 : 3;
  const samples = new (sequence.depth === 8 ? Uint8Array : Uint16Array)(width * height * channels);
  for (const [index, tile] of tiles.entries()) {
    const decoded = await decodeTile(tile, sequence);
    const left = (index % columns) * tile.width;
    const top = Math.floor(index / columns) * tile.height;
    const rowLength = Math.min(tile.width, width - left) * channels;
    for (let y = 0; y < Math.min(tile.height, height - top); y++) {
      const from = y * tile.width * channels;
      samples.set(decoded.samples.subarray(from, from + rowLength), ((top + y) * width + left) * channels);
    }
  }
  return { samples, width, height, channels };
}

async function decodeTile(tile: CodedImage, sequence: SequenceHeader): Promise<Planes> {
  const { width, height } = tile;
  const channels = sequence.isMonochrome ? 1 : 3;
  const file = planesFile(tile, sequence);
  const image = sharp(file, { failOn: 'error', limitInputPixels: false, ignoreIcc: true });
  const isDeep = sequence.depth > 8;
  if (isDeep) image.pipelineColourspace('rgb16').toColourspace('rgb16');
  if (sequence.isMonochrome) image.extractChannel(lumaChannel);
  const raw = image.raw(isDeep ? { depth: 'ushort' } : {});
  const { data, info } = await raw.toBuffer({ resolveWithObject: true }).catch((cause: unknown) => {
    throw corrupt(tile, cause);
  });
  if (info.width !== width || info.height !== height || info.channels !== channels) {
    throw corrupt(tile, new Error(`decoded as ${info.width} × ${info.height} × ${info.channels}`));
  }
  const samples = isDeep ? new Uint16Array(data.buffer, data.byteOffset, data.length / 2) : data;
  return { samples, width, height, channels };
}

function corrupt({ width, height }: CodedImage, cause: unknown): Failure {
  return new Failure(
    'IMAGE_CORRUPT',
    `The AVIF (${width} × ${height}) cannot be decoded: it is cut off or damaged.`,
    { format: 'avif' },
    { cause },
  );
}
