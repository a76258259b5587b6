import { readFileSync } from 'node:fs';
import { deflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { readJpegHeader } from '../../../src/processor/codecs/jpeg/header.ts';
import { orientationOf } from '../../../src/processor/codecs/orientation.ts';
import { readPngHeader } from '../../../src/processor/codecs/png/header.ts';
import { headerPart, readHeader } from '../../../src/processor/codecs/read-header.ts';
import { encoded, type Picture } from '../../support/pictures.ts';
import type { PlanOptions } from '../../support/plans.ts';
import { pngChunk, pngChunks, pngSignature } from '../../support/png.ts';
import { runStages } from '../../support/stages.ts';

// The expected values are those of Pillow 13.0: `ImageOps.exif_transpose(Image.open(file))` of each of these files.

const noLimit = Number.POSITIVE_INFINITY;

/** Four pixels of 8 × 8 each, red and green over blue and white, so that a JPEG keeps them apart. */
const corners: Picture = (() => {
  const pixels = new Uint8Array(32 * 16 * 3);
  for (let y = 0; y < 16; y++) {
    for (let x = 0; x < 32; x++) {
      const colour = y < 8 ? (x < 16 ? [255, 0, 0] : [0, 255, 0]) : x < 16 ? [0, 0, 255] : [255, 255, 255];
      pixels.set(colour, (y * 32 + x) * 3);
    }
  }
  return { pixels, width: 32, height: 16, channels: 3 };
})();

type Values = readonly [type: number, count: number, value: number];

/** EXIF as a TIFF file: one directory with an orientation, its value in the entry. */
function exif(order: 'II' | 'MM', [type, count, value]: Values, tag = 0x0112): Buffer {
  const tiff = Buffer.alloc(26);
  const uint16 = (number: number, at: number) =>
    order === 'II' ? tiff.writeUInt16LE(number, at) : tiff.writeUInt16BE(number, at);
  const uint32 = (number: number, at: number) =>
    order === 'II' ? tiff.writeUInt32LE(number, at) : tiff.writeUInt32BE(number, at);
  tiff.write(order, 'latin1');
  uint16(42, 2);
  uint32(8, 4);
  uint16(1, 8);
  uint16(tag, 10);
  uint16(type, 12);
  uint32(count, 14);
  if (type === 3 || type === 8) uint16(value, 18);
  else if (type === 4 || type === 9 || type === 13) uint32(value, 18);
  else if (type === 11) tiff.writeFloatLE(value, 18);
  else tiff.writeUInt8(value, 18);
  return tiff;
}

const short = (value: number): Buffer => exif('II', [3, 1, value]);

const attribute = (value: number) => Buffer.from(`<rdf:Description tiff:Orientation="${value}"/>`);
const element = (value: number) => Buffer.from(`<tiff:Orientation>${value}</tiff:Orientation>`);

const name = Buffer.from('Exif\0\0', 'latin1');
const xmpName = Buffer.from('http://ns.adobe.com/xap/1.0/\0', 'latin1');

const plainJpeg = await encoded(corners, 'jpeg', { quality: 95 });
const plainPng = await encoded(corners, 'png');
const plainWebp = Buffer.from(await encoded(corners, 'webp', { quality: 95 }));
const plainTiff = await encoded(corners, 'tiff');

function jpeg(...bodies: readonly Uint8Array[]): Buffer {
  const segments = bodies.map((body) => {
    const head = Buffer.of(0xff, 0xe1, 0, 0);
    head.writeUInt16BE(body.length + 2, 2);
    return Buffer.concat([head, body]);
  });
  return Buffer.concat([plainJpeg.subarray(0, 2), ...segments, plainJpeg.subarray(2)]);
}

const jpegWith = (tiff: Uint8Array) => jpeg(Buffer.concat([name, tiff]));
const jpegWithXmp = (xmp: Uint8Array) => jpeg(Buffer.concat([xmpName, xmp]));

function png(before: readonly Uint8Array[], after: readonly Uint8Array[] = []): Buffer {
  const chunks = pngChunks(plainPng);
  return Buffer.concat([
    pngSignature,
    chunks[0] as Buffer,
    ...before,
    ...chunks.slice(1, -1),
    ...after,
    chunks.at(-1) as Buffer,
  ]);
}

/** As ImageMagick writes it. */
const rawProfile = (tiff: Uint8Array) => {
  const bytes = Buffer.concat([name, tiff]);
  const hex = bytes.toString('hex').replace(/(.{72})/g, '$1\n');
  return Buffer.from(`\nexif\n${String(bytes.length).padStart(8)}\n${hex}\n`);
};

const text = (type: 'tEXt' | 'zTXt' | 'iTXt', keyword: string, value: Uint8Array, isCompressed = false) => {
  const head = Buffer.from(`${keyword}\0`, 'latin1');
  const bodies = {
    tEXt: () => [head, value],
    zTXt: () => [head, Buffer.of(0), deflateSync(value)],
    iTXt: () => [head, Buffer.of(Number(isCompressed), 0, 0, 0), isCompressed ? deflateSync(value) : value],
  };
  return pngChunk(type, Buffer.concat(bodies[type]()));
};

const exifText = 'Raw profile type exif';
const xmpText = 'XML:com.adobe.xmp';

/** A WebP in the extended format (its container specification), with chunks after the pixels. */
function webp(chunks: Readonly<Record<string, Uint8Array>>): Buffer {
  const flags = ('EXIF' in chunks ? 0x08 : 0) | ('XMP ' in chunks ? 0x04 : 0);
  const extended = Buffer.from([flags, 0, 0, 0, 31, 0, 0, 15, 0, 0]);
  const body = Buffer.concat([
    Buffer.from('WEBP'),
    riffChunk('VP8X', extended),
    plainWebp.subarray(12),
    ...Object.entries(chunks).map(([type, data]) => riffChunk(type, data)),
  ]);
  return riffChunk('RIFF', body);
}

function riffChunk(type: string, data: Uint8Array): Buffer {
  const size = Buffer.alloc(4);
  size.writeUInt32LE(data.length);
  return Buffer.concat([Buffer.from(type), size, data, Buffer.alloc(data.length % 2)]);
}

/** The TIFF with these entries in its directory, which is moved to the end, without sharp's orientation. */
function tiff(
  entries: readonly (readonly [tag: number, type: number, value: number | Uint8Array])[],
): Buffer {
  const old = Buffer.from(plainTiff);
  const at = old.readUInt32LE(4);
  const count = old.readUInt16LE(at);
  const own = Array.from({ length: count }, (_, index) =>
    old.subarray(at + 2 + 12 * index, at + 14 + 12 * index),
  );
  const kept = own.filter(
    (entry) => ![0x0112, ...entries.map(([tag]) => tag)].includes(entry.readUInt16LE(0)),
  );
  const data: Buffer[] = [];
  let dataAt = old.length + 2 + 12 * (kept.length + entries.length) + 4;
  const added = entries.map(([tag, type, value]) => {
    const entry = Buffer.alloc(12);
    entry.writeUInt16LE(tag, 0);
    entry.writeUInt16LE(type, 2);
    entry.writeUInt32LE(typeof value === 'number' ? 1 : value.length, 4);
    if (typeof value === 'number') entry.writeUInt32LE(value, 8);
    else {
      entry.writeUInt32LE(dataAt, 8);
      data.push(Buffer.from(value));
      dataAt += value.length;
    }
    return entry;
  });
  const all = [...kept, ...added].sort((a, b) => a.readUInt16LE(0) - b.readUInt16LE(0));
  const number = Buffer.alloc(2);
  number.writeUInt16LE(all.length);
  old.writeUInt32LE(old.length, 4);
  return Buffer.concat([old, number, ...all, Buffer.alloc(4), ...data]);
}

const xmpTag = 700;

const cases: readonly (readonly [what: string, file: Uint8Array, orientation: number])[] = [
  ['JPEG without any', plainJpeg, 1],
  ['JPEG with EXIF', jpegWith(short(6)), 6],
  [
    'JPEG with EXIF in two segments',
    jpeg(Buffer.concat([name, short(6).subarray(0, 15)]), Buffer.concat([name, short(6).subarray(15)])),
    6,
  ],
  ['JPEG whose EXIF begins with its name twice', jpegWith(Buffer.concat([name, short(5)])), 5],
  ['JPEG with an orientation of type BYTE', jpegWith(exif('II', [1, 1, 6])), 1],
  [
    'JPEG with an orientation of type BYTE and XMP',
    jpeg(Buffer.concat([name, exif('II', [1, 1, 6])]), Buffer.concat([xmpName, attribute(8)])),
    1,
  ],
  ['JPEG with an orientation of type LONG', jpegWith(exif('MM', [4, 1, 3])), 3],
  ['JPEG with an orientation of type SSHORT', jpegWith(exif('MM', [8, 1, 7])), 7],
  ['JPEG with an orientation of type SLONG', jpegWith(exif('II', [9, 1, 2])), 2],
  ['JPEG with an orientation of type FLOAT', jpegWith(exif('II', [11, 1, 4])), 4],
  ['JPEG with an orientation of type ASCII', jpegWith(exif('II', [2, 2, 0x36])), 1],
  ['JPEG with an orientation of type UNDEFINED', jpegWith(exif('II', [7, 1, 6])), 1],
  ['JPEG with an orientation of two values', jpegWith(exif('II', [3, 2, 6])), 6],
  ['JPEG with an orientation of no value', jpegWith(exif('II', [3, 0, 6])), 1],
  ['JPEG with an orientation of an unknown type', jpegWith(exif('II', [99, 1, 6])), 1],
  ['JPEG with orientation 9', jpegWith(short(9)), 1],
  ['JPEG with XMP, an attribute', jpegWithXmp(attribute(6)), 6],
  ['JPEG with XMP, an element', jpegWithXmp(element(8)), 8],
  [
    'JPEG with XMP twice',
    jpeg(Buffer.concat([xmpName, attribute(6)]), Buffer.concat([xmpName, attribute(3)])),
    3,
  ],
  ['JPEG with XMP that has spaces', jpegWithXmp(Buffer.from('<a tiff:Orientation = "6"/>')), 1],
  ['JPEG with XMP that has single quotes', jpegWithXmp(Buffer.from("<a tiff:Orientation='6'/>")), 1],
  [
    'JPEG with EXIF that says 1 and XMP that says 6',
    jpeg(Buffer.concat([name, short(1)]), Buffer.concat([xmpName, attribute(6)])),
    1,
  ],
  [
    'JPEG with EXIF of something else and XMP',
    jpeg(Buffer.concat([name, exif('II', [3, 1, 2], 0x0128)]), Buffer.concat([xmpName, attribute(6)])),
    6,
  ],
  ['JPEG with EXIF that is cut off', jpegWith(short(6).subarray(0, 15)), 1],
  ['PNG without any', plainPng, 1],
  ['PNG with eXIf', png([pngChunk('eXIf', short(6))]), 6],
  ['PNG with eXIf after its pixels', png([], [pngChunk('eXIf', short(6))]), 6],
  [
    'PNG with eXIf that begins with Exif and two zeros',
    png([pngChunk('eXIf', Buffer.concat([name, short(6)]))]),
    6,
  ],
  ['PNG with eXIf before and after', png([pngChunk('eXIf', short(3))], [pngChunk('eXIf', short(6))]), 6],
  ['PNG with ImageMagick’s profile in tEXt', png([text('tEXt', exifText, rawProfile(short(6)))]), 6],
  ['PNG with ImageMagick’s profile in zTXt', png([text('zTXt', exifText, rawProfile(short(8)))]), 8],
  ['PNG with ImageMagick’s profile in iTXt', png([text('iTXt', exifText, rawProfile(short(5)), true)]), 5],
  [
    'PNG with ImageMagick’s profile after its pixels',
    png([], [text('zTXt', exifText, rawProfile(short(7)))]),
    7,
  ],
  [
    'PNG with ImageMagick’s profile named APP1',
    png([text('zTXt', 'Raw profile type APP1', rawProfile(short(6)))]),
    1,
  ],
  [
    'PNG with eXIf and ImageMagick’s profile',
    png([text('tEXt', exifText, rawProfile(short(6))), pngChunk('eXIf', short(3))]),
    3,
  ],
  ['PNG with EXIF in tEXt', png([text('tEXt', 'exif', short(6))]), 6],
  ['PNG with XMP, an attribute', png([text('iTXt', xmpText, attribute(6))]), 6],
  ['PNG with XMP, an element, compressed', png([text('iTXt', xmpText, element(6), true)]), 6],
  ['PNG with XMP after its pixels', png([], [text('iTXt', xmpText, attribute(2))]), 2],
  ['PNG with XMP in tEXt', png([text('tEXt', xmpText, attribute(4))]), 4],
  [
    'PNG with eXIf that says 1 and XMP',
    png([text('iTXt', xmpText, attribute(6)), pngChunk('eXIf', short(1))]),
    1,
  ],
  [
    'PNG with ordinary text after its pixels',
    png([], [text('tEXt', 'Comment', Buffer.from('tiff:Orientation="6"'))]),
    1,
  ],
  ['WebP without any', plainWebp, 1],
  ['WebP with EXIF', webp({ EXIF: short(6) }), 6],
  ['WebP with EXIF that begins with Exif and two zeros', webp({ EXIF: Buffer.concat([name, short(8)]) }), 8],
  ['WebP with an orientation of type BYTE', webp({ EXIF: exif('II', [1, 1, 6]) }), 1],
  ['WebP with XMP, an attribute', webp({ 'XMP ': attribute(6) }), 6],
  ['WebP with XMP, an element', webp({ 'XMP ': element(3) }), 3],
  ['WebP with EXIF that says 1 and XMP', webp({ EXIF: short(1), 'XMP ': attribute(6) }), 1],
  ['TIFF without any', plainTiff, 1],
  ['TIFF with its tag', tiff([[0x0112, 3, 6]]), 6],
  ['TIFF with an orientation of type BYTE', tiff([[0x0112, 1, 6]]), 1],
  ['TIFF with XMP, an attribute', tiff([[xmpTag, 1, attribute(6)]]), 6],
  ['TIFF with XMP, an element', tiff([[xmpTag, 1, element(8)]]), 8],
  [
    'TIFF with its tag and XMP',
    tiff([
      [0x0112, 3, 3],
      [xmpTag, 1, attribute(6)],
    ]),
    3,
  ],
  ...[2, 3, 4, 5, 6, 7, 8].flatMap((value) => [
    [`JPEG of orientation ${value}`, jpegWith(exif('MM', [3, 1, value])), value] as const,
    [`PNG of orientation ${value}`, png([], [pngChunk('eXIf', exif('MM', [3, 1, value]))]), value] as const,
    [`WebP of orientation ${value}`, webp({ EXIF: exif('MM', [3, 1, value]) }), value] as const,
    [`TIFF of orientation ${value}`, tiff([[0x0112, 3, value]]), value] as const,
  ]),
];

/** The colour in each corner of the upright picture, from its first row to its last: red, green, blue or white. */
async function cornersOf(file: Uint8Array, options: PlanOptions = {}): Promise<string> {
  const header = await readHeader(file, noLimit);
  const { data, width, height, channels } = await runStages(file, header, options);
  const colourAt = (x: number, y: number) => {
    const [red = 0, green = 0, blue = 0] = data.subarray((y * width + x) * channels);
    return `${red > 128 ? 'R' : ''}${green > 128 ? 'G' : ''}${blue > 128 ? 'B' : ''}`;
  };
  const [left, right, top, bottom] = [
    width >> 2,
    width - 1 - (width >> 2),
    height >> 2,
    height - 1 - (height >> 2),
  ];
  return [colourAt(left, top), colourAt(right, top), colourAt(left, bottom), colourAt(right, bottom)].join(
    ' ',
  );
}

/** The picture's corners as each orientation turns them (EXIF 2.32, 4.6.5). */
const turned: Readonly<Record<number, string>> = {
  1: 'R G B RGB',
  2: 'G R RGB B',
  3: 'RGB B G R',
  4: 'B RGB R G',
  5: 'R B G RGB',
  6: 'B R RGB G',
  7: 'RGB G B R',
  8: 'G RGB R B',
};

describe(orientationOf, () => {
  it.each(cases)('reads the orientation of a %s as Pillow does', async (_, file, orientation) => {
    expect(await readHeader(file, noLimit)).toMatchObject({ orientation });
    expect(await readHeader(headerPart(file), noLimit)).toMatchObject({ orientation });
    const plain = readJpegHeader(file) ?? readPngHeader(file);
    if (plain !== undefined) expect(plain).toEqual(await readHeader(file, noLimit));
  });

  it.each(cases)('turns a %s upright, exact and fast', async (_, file, orientation) => {
    const resize = { fit: 'fill', filter: 'bilinear', width: 16, height: 16 } as const;
    expect(await cornersOf(file)).toBe(turned[orientation]);
    expect(await cornersOf(file, { numerics: 'fast' })).toBe(turned[orientation]);
    expect(await cornersOf(file, { numerics: 'fast', resize })).toBe(turned[orientation]);
  });

  // Pillow fails on them with a SyntaxError or a ValueError, although the picture is complete.
  it.each<[what: string, file: Uint8Array]>([
    ['JPEG with EXIF of no byte order', jpegWith(Buffer.from('IM*\0\x08\0\0\0\0\0', 'latin1'))],
    ['JPEG with EXIF that ends in its header', jpegWith(Buffer.from('II*\0', 'latin1'))],
    [
      'PNG with BigTIFF in eXIf',
      png([pngChunk('eXIf', Buffer.from('II+\0\x08\0\0\0\x10\0\0\0\0\0\0\0', 'latin1'))]),
    ],
    [
      'PNG with a profile that is no hexadecimal',
      png([text('tEXt', exifText, Buffer.from('\nexif\n4\nwhat'))]),
    ],
    ['PNG with a profile of over a megabyte', png([text('zTXt', exifText, Buffer.alloc(2 ** 20 + 1, '0'))])],
  ])('reports that the EXIF of a %s cannot be read, and does not turn it', async (_, file) => {
    expect(await readHeader(file, noLimit)).toMatchObject({ orientation: 1, exifIsUnreadable: true });
    expect(await readHeader(headerPart(file), noLimit)).toMatchObject({ exifIsUnreadable: true });
  });

  it('finds EXIF after the pixels of a PNG in 20,001 chunks', async () => {
    const empty = Array<Buffer>(20_000).fill(pngChunk('IDAT'));
    const file = png([], [...empty, pngChunk('eXIf', short(6))]);
    expect(readPngHeader(file)).toBeUndefined();
    expect(headerPart(file)).toHaveLength(file.length);
    expect(await readHeader(headerPart(file), noLimit)).toMatchObject({ orientation: 6 });
  });

  it.each([
    ['png_eXIf_after_IDAT.png', 6],
    ['png_imagemagick_raw_profile.png', 6],
    ['xmp_orientation6.jpeg', 6],
    ['xmp_orientation6.avif', 6],
    ['odd_420_irot.avif', 6],
  ])('reads the orientation of %s', async (file, orientation) => {
    const content = readFileSync(new URL(`../../fixtures/cases/${file}`, import.meta.url));
    expect(await readHeader(content, noLimit)).toMatchObject({ orientation });
  });
});
