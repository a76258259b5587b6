import { encoded, solid } from './pictures.ts';

/*
 * Small files of many parts, each of which makes a decoder work: scans, frames, directories, strips, tiles.
 */

/** The kind of scan of `crowdedJpeg`: the first pass over all AC coefficients, or one more bit of each. */
export type ScanKind = 'first' | 'refinement';

/** A gray progressive JPEG of this many scans, each of a few bytes. */
export function crowdedJpeg(width: number, height: number, scans: number, kind: ScanKind = 'first'): Buffer {
  const blocks = Math.ceil(width / 8) * Math.ceil(height / 8);
  const segment = (marker: number, ...body: number[]) =>
    Buffer.from([0xff, marker, 0, body.length + 2, ...body]);
  const none = new Array<number>(14).fill(0);
  const scan = Buffer.concat([
    segment(0xda, 1, 1, 0, 1, 63, kind === 'first' ? 0 : 0x10),
    endsOfBlocks(blocks),
  ]);
  return Buffer.concat([
    Buffer.from([0xff, 0xd8]),
    segment(0xdb, 0, ...new Array<number>(64).fill(1)),
    segment(0xc2, 8, height >> 8, height & 255, width >> 8, width & 255, 1, 1, 0x11, 0),
    // DC: category 0 has the code 0. AC: a run of 2^14 ends of blocks has 0, a single one has 10.
    segment(0xc4, 0x00, 1, 0, ...none, 0),
    segment(0xc4, 0x10, 1, 1, ...none, 0xe0, 0),
    segment(0xda, 1, 1, 0, 0, 0, 0),
    Buffer.alloc(Math.ceil(blocks / 8)),
    ...new Array<Buffer>(scans - 1).fill(scan),
    Buffer.from([0xff, 0xd9]),
  ]);
}

/** The entropy-coded data of a scan without coefficients (ITU-T T.81, G.1.2.2). */
function endsOfBlocks(blocks: number): Buffer {
  let bits = '';
  for (let left = blocks; left > 0; ) {
    const run = left >= 32_767 ? 32_767 : left >= 16_384 ? left : 1;
    bits += run === 1 ? '10' : `0${(run - 16_384).toString(2).padStart(14, '0')}`;
    left -= run;
  }
  const bytes = (bits.match(/.{1,8}/g) ?? []).map((byte) => Number.parseInt(byte.padEnd(8, '1'), 2));
  return Buffer.from(bytes.flatMap((byte) => (byte === 0xff ? [byte, 0] : [byte])));
}

/** An animated GIF of 64 × 64 pixels, one of which each frame changes. */
export function crowdedGif(frames: number): Buffer {
  const start = Buffer.from([...Buffer.from('GIF89a'), 64, 0, 64, 0, 0x80, 0, 0, 0, 0, 0, 255, 255, 255]);
  const frame = Buffer.from([0x2c, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 2, 0x44, 1, 0]);
  return Buffer.concat([start, ...new Array<Buffer>(frames).fill(frame), Buffer.from([0x3b])]);
}

/** An animated WebP of 16 × 16 pixels. */
export async function crowdedWebp(frames: number): Promise<Buffer> {
  const still = Buffer.from(await encoded(solid(16, 16, [0, 0, 0]), 'webp'));
  const chunk = (type: string, body: Buffer) => {
    const head = Buffer.alloc(8);
    head.write(type, 'latin1');
    head.writeUInt32LE(body.length, 4);
    return Buffer.concat([head, body]);
  };
  const size = Buffer.from([15, 0, 0, 15, 0, 0]);
  const frame = chunk(
    'ANMF',
    Buffer.concat([Buffer.alloc(6), size, Buffer.from([100, 0, 0, 0]), still.subarray(12)]),
  );
  const body = Buffer.concat([
    Buffer.from('WEBP'),
    chunk('VP8X', Buffer.concat([Buffer.from([2, 0, 0, 0]), size])),
    chunk('ANIM', Buffer.alloc(6)),
    ...new Array<Buffer>(frames).fill(frame),
  ]);
  return chunk('RIFF', body);
}

type Entry = readonly [tag: number, value: number | readonly number[]];

/** A TIFF, little endian, of `data` at byte 8 and these directories. All values are LONGs. */
function tiff(directories: readonly (readonly Entry[])[], data: Buffer = Buffer.from([128])): Buffer {
  const parts = [Buffer.alloc(8), data, Buffer.alloc((8 - (data.length % 8)) % 8)];
  let at = parts.reduce((sum, { length }) => sum + length, 0);
  const add = (part: Buffer): number => {
    parts.push(part);
    at += part.length;
    return at - part.length;
  };
  const longs = (values: readonly number[]) => Buffer.from(Uint32Array.from(values).buffer);
  let next = parts[0] as Buffer;
  next.write('II*\0', 'latin1');
  let nextAt = 4;
  for (const entries of directories) {
    const directory = Buffer.alloc(2 + 12 * entries.length + 4);
    directory.writeUInt16LE(entries.length, 0);
    for (const [index, [tag, value]] of entries.entries()) {
      const values = typeof value === 'number' ? [value] : value;
      directory.writeUInt16LE(tag, 2 + 12 * index);
      directory.writeUInt16LE(4, 4 + 12 * index);
      directory.writeUInt32LE(values.length, 6 + 12 * index);
      directory.writeUInt32LE(
        values.length === 1 ? (values[0] as number) : add(longs(values)),
        10 + 12 * index,
      );
    }
    next.writeUInt32LE(add(directory), nextAt);
    next = directory;
    nextAt = directory.length - 4;
  }
  return Buffer.concat(parts);
}

/** The fields of a gray picture without its pixels. */
const gray = (width: number, height: number, compression: number): Entry[] => [
  [256, width],
  [257, height],
  [258, 8],
  [259, compression],
  [262, 1],
];

/** A TIFF of one pixel with this many pages. */
export function crowdedTiff(pages: number): Buffer {
  const page: Entry[] = [...gray(1, 1, 1), [273, 8], [277, 1], [278, 1], [279, 1]];
  return tiff(new Array<Entry[]>(pages).fill(page));
}

/** A TIFF of one pixel in each row, with a strip for each. */
export function stripedTiff(height: number): Buffer {
  const each = (value: number) => new Array<number>(height).fill(value);
  return tiff([[...gray(1, height, 1), [273, each(8)], [277, 1], [278, 1], [279, each(1)]]]);
}

/** A TIFF whose tiles of 256 × 256 pixels are all the same JPEG. */
export function jpegTiledTiff(width: number, height: number, tile: Buffer): Buffer {
  const tiles = Math.ceil(width / 256) * Math.ceil(height / 256);
  const each = (value: number) => new Array<number>(tiles).fill(value);
  const fields: Entry[] = [
    [277, 1],
    [322, 256],
    [323, 256],
    [324, each(8)],
    [325, each(tile.length)],
  ];
  return tiff([[...gray(width, height, 7), ...fields]], tile);
}

/** An AVIF whose image has this many equal frames. */
export async function crowdedAvif(width: number, height: number, frames: number): Promise<Buffer> {
  const file = Buffer.from(await encoded(solid(width, height, [200, 30, 60]), 'avif'));
  const data = file.subarray(file.indexOf('mdat') + 4);
  // Its location as libheif writes it: base, number of extents, offset and length (ISO/IEC 14496-12, §8.11.3).
  const place = Buffer.alloc(14);
  place.writeUInt32BE(file.length - data.length, 0);
  place.writeUInt16BE(1, 4);
  place.writeUInt32BE(data.length, 10);
  const at = file.indexOf(place, file.indexOf('iloc'));
  if (at === -1) throw new Error('the encoder has another way to write iloc');
  const repeated = Buffer.concat(new Array<Buffer>(frames).fill(data));
  const box = Buffer.alloc(8);
  box.writeUInt32BE(repeated.length + 8, 0);
  box.write('mdat', 4, 'latin1');
  file.writeUInt32BE(file.length + box.length, at);
  file.writeUInt32BE(repeated.length, at + 10);
  return Buffer.concat([file, box, repeated]);
}
