import type { Pixels } from '../../image/pixels.ts';
import { takeScratch } from '../../workers/scratch.ts';
import { decodingFailure } from '../decoder-failure.ts';
import type { ImageHeader } from '../header.ts';
import { type GifLayout, readGifLayout } from './layout.ts';
import { readLzw } from './lzw.ts';

export function decode(content: Uint8Array, header: ImageHeader): Pixels {
  const pixels = decodeGif(content);
  if (pixels === undefined) throw decodingFailure(header, new Error('pixels are damaged or missing'));
  return pixels;
}

/**
 * Decodes the first frame of a GIF to Pillow's bytes. Transparent pixels keep the colour of their palette entry. Pixels
 * of the screen outside the frame get that colour, or the palette's first.
 *
 * @returns [height, width, channels] uint8, in the scratch memory: 1 channel for grays, 3 for colour, 4 if a colour is
 *   transparent; undefined if pixels are damaged or missing
 * @throws IMAGE_CORRUPT if the header cannot be read
 */
export function decodeGif(content: Uint8Array): Pixels | undefined {
  const file = Buffer.from(content.buffer, content.byteOffset, content.length);
  const layout = readGifLayout(file);
  const { width, height, frame, palette, transparent } = layout;
  const colours = readLzw(file, layout.pixels, frame.width * frame.height);
  if (colours === undefined) return undefined;
  const channels = transparent !== undefined ? 4 : palette === undefined ? 1 : 3;
  const data = takeScratch(width * height * channels);
  const table = tableOf(palette, transparent, channels);
  const isWhole = frame.width === width && frame.height === height;
  if (!isWhole)
    fill(data, table.subarray((transparent ?? 0) * channels, ((transparent ?? 0) + 1) * channels));
  const rows = rowsOf(layout);
  for (let row = 0; row < frame.height; row++) {
    let to = ((frame.top + (rows[row] as number)) * width + frame.left) * channels;
    for (let from = row * frame.width; from < (row + 1) * frame.width; from++) {
      let entry = (colours[from] as number) * channels;
      for (let channel = 0; channel < channels; channel++) data[to++] = table[entry++] as number;
    }
  }
  return { data, width, height, channels };
}

/** All 256 colours, in the channels of the result. */
function tableOf(
  palette: Uint8Array | undefined,
  transparent: number | undefined,
  channels: 1 | 3 | 4,
): Uint8Array {
  const table = new Uint8Array(256 * channels);
  for (let colour = 0; colour < 256; colour++) {
    for (let channel = 0; channel < Math.min(channels, 3); channel++) {
      table[colour * channels + channel] = palette?.[3 * colour + channel] ?? colour;
    }
    if (channels === 4) table[4 * colour + 3] = colour === transparent ? 0 : 255;
  }
  return table;
}

function fill(data: Buffer, pixel: Uint8Array): void {
  for (let at = 0; at < data.length; at += pixel.length) data.set(pixel, at);
}

/** The frame's row for each stored row; interlaced frames by GIF89a, appendix E. */
function rowsOf({ frame: { height }, isInterlaced }: GifLayout): readonly number[] {
  const all = Array.from({ length: height }, (_, row) => row);
  if (!isInterlaced) return all;
  const passes = [
    [0, 8],
    [4, 8],
    [2, 4],
    [1, 2],
  ] as const;
  return passes.flatMap(([first, step]) => all.filter((row) => row >= first && (row - first) % step === 0));
}
