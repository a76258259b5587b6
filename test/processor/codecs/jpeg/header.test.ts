import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import sharp, { type JpegOptions, type Sharp } from 'sharp';
import { describe, expect, it } from 'vitest';
import { readJpegHeader } from '../../../../src/processor/codecs/jpeg/header.ts';
import { readHeader } from '../../../../src/processor/codecs/read-header.ts';
import { processOnePlan } from '../../../support/one-plan.ts';
import { encoded, gradient, solid } from '../../../support/pictures.ts';
import { planFrom } from '../../../support/plans.ts';

const folder = new URL('../../../fixtures/decode/', import.meta.url);
const fixtures = readdirSync(folder).filter((name) => name.endsWith('.jpg'));
const fixture = (name: string) => readFileSync(new URL(name, folder));

const noLimit = Number.POSITIVE_INFINITY;

/** A JPEG's header in parts: each segment with its marker, and the bytes after the header of the first scan. */
function partsOf(jpeg: Uint8Array): { segments: Buffer[]; rest: Buffer } {
  const bytes = Buffer.from(jpeg);
  const segments: Buffer[] = [];
  let at = 2;
  for (;;) {
    const end = at + 2 + bytes.readUInt16BE(at + 2);
    segments.push(bytes.subarray(at, end));
    if (bytes[at + 1] === 0xda) return { segments, rest: bytes.subarray(end) };
    at = end;
  }
}

function segment(marker: number, ...body: readonly (string | Uint8Array | readonly number[])[]): Buffer {
  const parts = body.map((part) =>
    typeof part === 'string' ? Buffer.from(part, 'latin1') : Uint8Array.from(part),
  );
  const content = Buffer.concat(parts);
  const head = Buffer.of(0xff, marker, 0, 0);
  head.writeUInt16BE(content.length + 2, 2);
  return Buffer.concat([head, content]);
}

const startOfImage = Buffer.of(0xff, 0xd8);

/** Only tables, a frame and a scan, as sharp writes them: neither JFIF nor EXIF; 4:2:0, ids 1, 2 and 3. */
const plain = partsOf(await encoded(gradient(23, 17), 'jpeg'));

/** The plain JPEG with more segments before its own. */
const withSegments = (...segments: readonly Uint8Array[]) =>
  Buffer.concat([startOfImage, ...segments, ...plain.segments, plain.rest]);

/** The plain JPEG with each segment of a marker replaced, or removed if the replacement is empty. */
function changed(marker: number, change: (segment: Buffer) => readonly Uint8Array[]): Buffer {
  const segments = plain.segments.flatMap((each) =>
    each[1] === marker ? change(Buffer.from(each)) : [each],
  );
  return Buffer.concat([startOfImage, ...segments, plain.rest]);
}

/** The plain JPEG with some bytes of a marker's segments set; offsets count from the marker's first byte. */
const withBytes = (marker: number, bytes: Readonly<Record<number, number>>) =>
  changed(marker, (each) => {
    for (const [at, value] of Object.entries(bytes)) each[Number(at)] = value;
    return [each];
  });

type Entry = readonly [tag: number, type: number, count: number, value: number];

/** EXIF with a first directory of entries whose values are in place, two bytes each. */
function exif(order: 'II' | 'MM', entries: readonly Entry[], directoryAt = 8): Buffer {
  const tiff = Buffer.alloc(directoryAt + 2 + 12 * entries.length + 4);
  const uint16 = (value: number, at: number) =>
    order === 'II' ? tiff.writeUInt16LE(value, at) : tiff.writeUInt16BE(value, at);
  const uint32 = (value: number, at: number) =>
    order === 'II' ? tiff.writeUInt32LE(value, at) : tiff.writeUInt32BE(value, at);
  tiff.write(order, 'latin1');
  uint16(42, 2);
  uint32(directoryAt, 4);
  uint16(entries.length, directoryAt);
  for (const [index, [tag, type, count, value]] of entries.entries()) {
    const at = directoryAt + 2 + 12 * index;
    uint16(tag, at);
    uint16(type, at + 2);
    uint32(count, at + 4);
    uint16(value, at + 8);
  }
  return segment(0xe1, 'Exif\0\0', tiff);
}

const orientation = (value: number): Entry => [0x0112, 3, 1, value];
const [resolutionUnit, yCbCrPositioning]: readonly [Entry, Entry] = [
  [0x0128, 3, 1, 2],
  [0x0213, 3, 1, 1],
];

/** The first bytes of a profile, and as many zeros as it states. */
function profile(length: number, saysLength = length): Buffer {
  const bytes = Buffer.alloc(length);
  bytes.writeUInt32BE(saysLength);
  bytes.write('acsp', 36, 'latin1');
  return bytes;
}

const icc = (chunk: number, chunks: number, data: Uint8Array) =>
  segment(0xe2, 'ICC_PROFILE\0', [chunk, chunks], data);
const adobe = (transform: number) => segment(0xee, 'Adobe', [0, 100, 0, 0, 0, 0, transform]);
const jfif = segment(0xe0, 'JFIF\0', [1, 2, 0, 0, 1, 0, 1, 0, 0]);
const comment = segment(0xfe, 'no comment');

describe(readJpegHeader, () => {
  it('reads the header of a plain JPEG', () => {
    expect(readJpegHeader(fixture('orientation-6.jpg'))).toEqual({
      format: 'jpeg',
      width: 23,
      height: 17,
      orientation: 6,
      colour: 'rgb',
      bitDepth: 8,
      hasAlpha: false,
      hasIccProfile: false,
      frames: 1,
      isProgressive: false,
      samplesPerPixel: 1.5,
    });
  });

  const others = ['440.jpg', 'cmyk-adobe.jpg', 'cmyk-orientation-8.jpg', 'cmyk-plain.jpg', 'ycck.jpg'];

  it.each(fixtures)('agrees with libvips about %s, or leaves it to libvips', async (name) => {
    const content = fixture(name);
    const expected = others.includes(name) ? undefined : await readHeader(content, noLimit);
    expect(readJpegHeader(content)).toEqual(expected);
  });

  it.each<[what: string, options: JpegOptions, change?: (image: Sharp) => Sharp]>([
    ['baseline', {}],
    ['baseline, 4:4:4', { chromaSubsampling: '4:4:4' }],
    ['progressive', { progressive: true }],
    ['progressive, 4:4:4', { progressive: true, chromaSubsampling: '4:4:4' }],
    ['in mozjpeg’s scans', { progressive: true, optimiseScans: true }],
    ['with mozjpeg’s defaults', { mozjpeg: true }],
    ['with the standard’s Huffman tables', { optimiseCoding: false }],
    ['of the lowest quality', { quality: 1, quantisationTable: 3 }],
    ['gray', {}, (image) => image.toColourspace('b-w')],
    ['gray and progressive', { progressive: true }, (image) => image.toColourspace('b-w')],
    ['with a profile', {}, (image) => image.withIccProfile('p3')],
    ['gray with a profile', {}, (image) => image.toColourspace('b-w').withIccProfile('srgb')],
    ['with metadata', {}, (image) => image.withMetadata({ density: 300 })],
    ['with EXIF of three directories', {}, (image) => image.withExif(threeDirectories)],
    ['with XMP', {}, (image) => image.withXmp('<x:xmpmeta xmlns:x="adobe:ns:meta/"/>')],
  ])('agrees with libvips about a JPEG that is %s', async (_, options, change = (image) => image) => {
    const { pixels, ...raw } = gradient(61, 40);
    const content = await change(sharp(pixels, { raw })).jpeg(options).toBuffer();
    expect(readJpegHeader(content)).toEqual(await readHeader(content, noLimit));
  });

  it.each([1, 2, 3, 4, 5, 6, 7, 8])('reads orientation %i as sharp writes it', async (value) => {
    const { pixels, ...raw } = solid(9, 5, [1, 2, 3]);
    const image = sharp(pixels, { raw }).withMetadata({ orientation: value });
    const content = await image.jpeg().toBuffer();
    expect(readJpegHeader(content)).toMatchObject({ width: 9, height: 5, orientation: value });
    expect(readJpegHeader(content)).toEqual(await readHeader(content, noLimit));
  });

  it('reads a JPEG in the middle of a larger buffer', () => {
    const content = withSegments(exif('MM', [orientation(8)]));
    const message = new Uint8Array(content.length + 200).fill(7);
    message.set(content, 100);
    expect(readJpegHeader(message.subarray(100, 100 + content.length))).toMatchObject({
      width: 23,
      orientation: 8,
    });
  });

  it.each<[what: string, content: Uint8Array, expected: Partial<ReturnType<typeof readJpegHeader>>]>([
    ['JFIF', withSegments(jfif), { colour: 'rgb', orientation: 1 }],
    ['a thumbnail of JFIF’s', withSegments(jfif, segment(0xe0, 'JFXX\0', [0x13, 1, 1, 9, 9, 9])), {}],
    ['little-endian EXIF', withSegments(exif('II', [orientation(3)])), { orientation: 3 }],
    ['big-endian EXIF', withSegments(exif('MM', [orientation(5)])), { orientation: 5 }],
    [
      'an orientation between other entries, in a directory that is not at the beginning',
      withSegments(exif('II', [resolutionUnit, orientation(7), yCbCrPositioning], 32)),
      { orientation: 7 },
    ],
    ['EXIF without an orientation', withSegments(exif('II', [resolutionUnit])), { orientation: 1 }],
    ['EXIF without an entry', withSegments(exif('MM', [])), { orientation: 1 }],
    [
      'XMP before and after EXIF',
      withSegments(
        segment(0xe1, 'http://ns.adobe.com/xap/1.0/\0<tiff:Orientation>3</tiff:Orientation>'),
        exif('II', [orientation(2)]),
        segment(0xe1, 'http://ns.adobe.com/xmp/extension/\0', [1, 2, 3]),
      ),
      { orientation: 2 },
    ],
    [
      'EXIF twice',
      withSegments(exif('II', [orientation(3)]), exif('II', [orientation(6)])),
      { orientation: 3 },
    ],
    [
      'EXIF without an orientation, and again with one',
      withSegments(exif('II', []), exif('II', [orientation(6)])),
      { orientation: 1 },
    ],
    [
      'EXIF of another name',
      withSegments(segment(0xe1, 'Exif\0\xff', exif('II', [orientation(3)]).subarray(10))),
      { orientation: 1 },
    ],
    [
      'EXIF of no byte order',
      withSegments(segment(0xe1, 'Exif\0\0IM*\0', exif('II', []).subarray(14))),
      { exifIsUnreadable: true },
    ],
    [
      'EXIF that ends in its header',
      withSegments(segment(0xe1, 'Exif\0\0II*\0')),
      { exifIsUnreadable: true },
    ],
    ['EXIF that is only its name', withSegments(segment(0xe1, 'Exif\0\0')), { orientation: 1 }],
    [
      'EXIF whose directory is elsewhere',
      withSegments(segment(0xe1, 'Exif\0\0II*\0', [99, 0, 0, 0, 0, 0, 0, 0])),
      { orientation: 1 },
    ],
    [
      'EXIF whose directory is in its header',
      withSegments(segment(0xe1, 'Exif\0\0II*\0', [4, 0, 0, 0], Buffer.alloc(60))),
      { orientation: 1 },
    ],
    [
      'EXIF whose directory is its header',
      withSegments(segment(0xe1, 'Exif\0\0II*\0', [0, 0, 0, 0, 0, 0, 0, 0])),
      { orientation: 1 },
    ],
    [
      'EXIF whose directory is cut off',
      withSegments(segment(0xe1, 'Exif\0\0II*\0', [8, 0, 0, 0, 1, 0], Buffer.alloc(15))),
      { orientation: 1 },
    ],
    [
      'EXIF of 201 entries',
      withSegments(exif('II', Array<Entry>(201).fill(resolutionUnit))),
      { orientation: 1 },
    ],
    ['orientation 0', withSegments(exif('II', [orientation(0)])), { orientation: 1 }],
    ['orientation 9', withSegments(exif('MM', [orientation(9)])), { orientation: 1 }],
    ['two orientations', withSegments(exif('II', [orientation(3), orientation(6)])), { orientation: 3 }],
    ['an orientation of two values', withSegments(exif('II', [[0x0112, 3, 2, 6]])), { orientation: 6 }],
    ['an orientation of 32 bits', withSegments(exif('II', [[0x0112, 4, 1, 6]])), { orientation: 6 }],
    ['a profile', withSegments(icc(1, 1, profile(200))), { hasIccProfile: true }],
    ['FlashPix in APP2', withSegments(segment(0xe2, 'FPXR\0', [0, 1, 2])), { hasIccProfile: false }],
    ['Photoshop’s APP13', withSegments(segment(0xed, 'Photoshop 3.0\x008BIM', [4, 4, 0, 0, 0, 0, 0, 0])), {}],
    ['comments', withSegments(comment, comment), {}],
    ['restart intervals', withSegments(segment(0xdd, [0, 4])), {}],
    ['Adobe’s segment, YCbCr', withSegments(adobe(1)), { colour: 'rgb' }],
    ['Adobe’s segment, RGB', withIds(7, 8, 9, adobe(0)), { colour: 'rgb' }],
    ['ids R, G and B', withIds(0x52, 0x47, 0x42), { colour: 'rgb' }],
    ['other ids in JFIF', withIds(7, 8, 9, jfif), { colour: 'rgb' }],
    ['4:4:4', withBytes(0xc0, { 11: 0x11 }), { samplesPerPixel: 3 }],
    ['4:2:2', withBytes(0xc0, { 11: 0x21 }), { samplesPerPixel: 2 }],
    ['4:1:1', withBytes(0xc0, { 11: 0x41 }), { samplesPerPixel: 1.5 }],
    ['gray', grayOf(0x11), { colour: 'gray', samplesPerPixel: 1 }],
    ['gray with sampling factors', grayOf(0x22), { colour: 'gray', samplesPerPixel: 1 }],
    [
      'components one after the other',
      changed(0xda, () => [segment(0xda, [1, 1, 0, 0, 63, 0])]),
      { isProgressive: true },
    ],
    ['progressive scans', progressiveOf(0, 0, 13), { isProgressive: true }],
    ['a quantization table of 16 bits', withSegments(segment(0xdb, [0x13], Buffer.alloc(128, 1))), {}],
    ['an extended frame', changed(0xc0, (each) => [each.fill(0xc1, 1, 2)]), { isProgressive: false }],
    ['65,500 pixels', withBytes(0xc0, { 7: 0xff, 8: 0xdc }), { width: 65_500 }],
    ['a hundred segments', withSegments(...Array<Buffer>(100).fill(comment)), {}],
  ])('knows %s', async (_, content, expected) => {
    expect(readJpegHeader(content)).toMatchObject({ height: 17, ...expected });
    expect(readJpegHeader(content)).toEqual(await readHeader(content, noLimit));
  });

  it.each<[what: string, content: Uint8Array]>([
    ['an empty file', Buffer.alloc(0)],
    ['a PNG', Buffer.from('\x89PNG\r\n\x1a\n', 'latin1')],
    ['a JPEG that ends in a marker', Buffer.of(0xff, 0xd8, 0xff)],
    ['a JPEG that ends in a length', Buffer.of(0xff, 0xd8, 0xff, 0xfe, 0)],
    ['a JPEG without a scan', Buffer.concat([startOfImage, ...plain.segments.slice(0, -1)])],
    ['a JPEG without pixels', Buffer.concat([startOfImage, ...plain.segments])],
    ['a segment that is longer than the file', withSegments().subarray(0, 100)],
    ['a segment that is shorter than its length', withSegments(Buffer.of(0xff, 0xfe, 0, 1))],
    ['bytes between segments', withSegments(Buffer.of(0))],
    ['fill bytes', withSegments(Buffer.of(0xff))],
    ['a second beginning', withSegments(startOfImage)],
    ['an end before the scan', withSegments(Buffer.of(0xff, 0xd9))],
    ['a restart before the scan', withSegments(segment(0xd0, [0, 0]))],
    ['201 segments', withSegments(...Array<Buffer>(201).fill(comment))],
    ['a million segments', withSegments(Buffer.alloc(4_000_000, Buffer.of(0xff, 0xfe, 0, 2)))],
    ['12 bits', withBytes(0xc0, { 4: 12 })],
    ['a height of 0, which DNL tells', withBytes(0xc0, { 5: 0, 6: 0 })],
    ['a width of 0', withBytes(0xc0, { 7: 0, 8: 0 })],
    ['65,501 pixels', withBytes(0xc0, { 7: 0xff, 8: 0xdd })],
    ['a frame that is too long', changed(0xc0, (each) => [segment(0xc0, each.subarray(4), [0])])],
    ['no frame', changed(0xc0, () => [])],
    ['two frames', changed(0xc0, (each) => [each, each])],
    ...[0xc3, 0xc5, 0xc6, 0xc7, 0xc9, 0xca, 0xcb, 0xcd, 0xce, 0xcf].map((marker): [string, Uint8Array] => [
      `a frame of the kind ${marker.toString(16)}`,
      changed(0xc0, (each) => [each.fill(marker, 1, 2)]),
    ]),
    ['conditions of arithmetic coding', withSegments(segment(0xcc, [0, 1]))],
    ['DNL', withSegments(segment(0xdc, [0, 17]))],
    ['two components', twoComponents()],
    ['4:4:0', withBytes(0xc0, { 11: 0x12 })],
    ['4:1:0', withBytes(0xc0, { 11: 0x42 })],
    ['chroma with factors', withBytes(0xc0, { 14: 0x21 })],
    ['gray with factors that there are not', grayOf(0x51)],
    ['the same id twice', withIds(7, 7, 8, jfif)],
    ['no quantization tables', changed(0xdb, () => [])],
    ['a quantization table that is not defined', withBytes(0xc0, { 12: 3 })],
    ['a quantization table 32', withBytes(0xc0, { 12: 32 })],
    ['a quantization table of 24 bits', withSegments(segment(0xdb, [0x20], Buffer.alloc(192, 1)))],
    ['a quantization table 4', withSegments(segment(0xdb, [4], Buffer.alloc(64, 1)))],
    ['a quantization table that is cut off', withSegments(segment(0xdb, [0], Buffer.alloc(63, 1)))],
    ['no Huffman tables', changed(0xc4, () => [])],
    ['a Huffman table that is not defined', withBytes(0xda, { 6: 0x30 })],
    ['a Huffman table of AC that is not defined', withBytes(0xda, { 6: 0x03 })],
    ['a Huffman table 4', withSegments(segment(0xc4, [4], Buffer.alloc(16)))],
    ['a Huffman table of 257 codes', withSegments(segment(0xc4, [0, 255, 2], Buffer.alloc(14 + 257)))],
    ['a Huffman table that is cut off', withSegments(segment(0xc4, [0, 1], Buffer.alloc(15)))],
    ['nine Huffman tables at once', withSegments(segment(0xc4, Buffer.alloc(9 * 17)))],
    ['restart intervals of three bytes', withSegments(segment(0xdd, [0, 0, 4]))],
    ['a scan of no component', changed(0xda, () => [segment(0xda, [0, 0, 63, 0])])],
    ['a scan of a component that there is not', withBytes(0xda, { 5: 9 })],
    ['a scan in another order', withBytes(0xda, { 5: 2, 7: 1 })],
    ['a scan without the first coefficient', withBytes(0xda, { 11: 1 })],
    ['a scan without the last coefficient', withBytes(0xda, { 12: 62 })],
    ['a baseline scan of some bits', withBytes(0xda, { 13: 1 })],
    ['a first progressive scan without the first coefficient', progressiveOf(1, 1, 0)],
    ['a first progressive scan of more than the first coefficient', progressiveOf(0, 5, 0)],
    ['a first progressive scan that leaves 14 bits out', progressiveOf(0, 0, 14)],
    ['ids that say no colours', withIds(7, 8, 9)],
    ['Adobe’s transform 2', withSegments(adobe(2))],
    ['Adobe’s segment twice', withSegments(adobe(1), adobe(0))],
    ['Adobe’s segment without a transform', withSegments(segment(0xee, 'Adobe', [0, 100]))],
    ['JFIF 2', withSegments(segment(0xe0, 'JFIF\0', [2, 0, 0, 0, 1, 0, 1, 0, 0]))],
    ['JFIF that is cut off', withSegments(segment(0xe0, 'JFIF\0', [1, 2]))],
    ['several pictures in one file', withSegments(segment(0xe2, 'MPF\0II*\0'))],
    ['a profile in two segments', withSegments(icc(1, 2, profile(200)), icc(2, 2, Buffer.alloc(50)))],
    ['two profiles', withSegments(icc(1, 1, profile(200)), icc(1, 1, profile(200)))],
    ['a profile of another length than it says', withSegments(icc(1, 1, profile(200, 201)))],
    ['a profile that is too short for one', withSegments(icc(1, 1, profile(127)))],
    ['a profile without its signature', withSegments(icc(1, 1, profile(200).fill(0, 36, 40)))],
    [
      'a profile of ICC_PROFILE and no zero',
      withSegments(segment(0xe2, 'ICC_PROFILE ', [1, 1], profile(200))),
    ],
  ])('leaves %s to libvips', (_, content) => {
    expect(readJpegHeader(content)).toBeUndefined();
  });

  it('agrees with libvips or defers to it, for any damaged header', async () => {
    let compared = 0;
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...victims), changes, async (victim, edits) => {
        const content = edited(victim, edits);
        const header = readJpegHeader(content);
        if (header === undefined) return;
        expect(header).toEqual(await readHeader(content, noLimit));
        compared++;
      }),
      { numRuns: 2000 },
    );
    expect(compared).toBeGreaterThan(200);
  });

  it('leaves a damaged JPEG with a good header to its decoder', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...victims), changes, async (victim, edits) => {
        const content = edited(victim, edits);
        const header = readJpegHeader(content);
        if (header !== undefined) await expectDecodedOrRefused(content, header);
      }),
      { numRuns: 200 },
    );
  });
});

const threeDirectories = {
  IFD0: { ImageDescription: 'a gradient', Copyright: 'nobody’s' },
  IFD2: { ExposureTime: '1/60', UserComment: 'none' },
  IFD3: { GPSLatitudeRef: 'N', GPSLatitude: '51/1 30/1 3230/100' },
};

/** The plain JPEG with other component ids. */
function withIds(first: number, second: number, third: number, ...before: readonly Uint8Array[]): Buffer {
  const segments = plain.segments.map((each) => {
    const other = Buffer.from(each);
    if (each[1] === 0xc0) for (const [at, id] of [first, second, third].entries()) other[10 + 3 * at] = id;
    if (each[1] === 0xda) for (const [at, id] of [first, second, third].entries()) other[5 + 2 * at] = id;
    return other;
  });
  return Buffer.concat([startOfImage, ...before, ...segments, plain.rest]);
}

/** Only the luma of the plain JPEG. */
function grayOf(sampling: number): Buffer {
  const segments = plain.segments.map((each) => {
    if (each[1] === 0xc0) return segment(0xc0, [8, 0, 17, 0, 23, 1, 1, sampling, 0]);
    return each[1] === 0xda ? segment(0xda, [1, 1, 0, 0, 63, 0]) : each;
  });
  return Buffer.concat([startOfImage, ...segments, plain.rest]);
}

/** The plain JPEG as a progressive one, with the coefficients and the bits that its first scan omits. */
function progressiveOf(first: number, last: number, approximation: number): Buffer {
  const segments = plain.segments.map((each) => {
    if (each[1] === 0xc0) return Buffer.concat([Buffer.of(0xff, 0xc2), each.subarray(2)]);
    return each[1] === 0xda
      ? segment(0xda, [3, 1, 0x00, 2, 0x11, 3, 0x11, first, last, approximation])
      : each;
  });
  return Buffer.concat([startOfImage, ...segments, plain.rest]);
}

/** The plain JPEG's luma and its Cb, in JFIF. */
function twoComponents(): Buffer {
  const segments = plain.segments.map((each) => {
    if (each[1] === 0xc0) return segment(0xc0, [8, 0, 17, 0, 23, 2, 1, 0x11, 0, 2, 0x11, 1]);
    return each[1] === 0xda ? segment(0xda, [2, 1, 0x00, 2, 0x11, 0, 63, 0]) : each;
  });
  return Buffer.concat([startOfImage, jfif, ...segments, plain.rest]);
}

interface Victim {
  readonly content: Buffer;
  /** Start of the bytes to change, up to the end of the scan's header. Tables precede them, pixels follow. */
  readonly from: number;
  readonly to: number;
}

/** A JPEG with its tables first, then segments, then its frame and scan. */
function victimOf(jpeg: Uint8Array, ...segments: readonly Uint8Array[]): Victim {
  const parts = partsOf(jpeg);
  const isTable = (each: Buffer) => each[1] === 0xdb || each[1] === 0xc4;
  const tables = Buffer.concat([startOfImage, ...parts.segments.filter(isTable)]);
  const described = Buffer.concat([...segments, ...parts.segments.filter((each) => !isTable(each))]);
  return {
    content: Buffer.concat([tables, described, parts.rest]),
    from: tables.length,
    to: tables.length + described.length,
  };
}

/** Changes the offsets of the directories of EXIF and of GPS, to those of others or to none. */
const pointers = ['II', 'MM'].map((order) =>
  exif(order as 'II' | 'MM', [
    [0x8769, 4, 1, 8],
    [0x8825, 4, 1, 60],
    [0x0201, 4, 1, 70],
    resolutionUnit,
    orientation(6),
  ]),
);

const victims = [
  victimOf(withSegments(), exif('II', [resolutionUnit, orientation(6)]), comment),
  victimOf(withSegments(), jfif, ...pointers.slice(0, 1)),
  victimOf(withSegments(), adobe(1), ...pointers.slice(1), segment(0xdd, [0, 4])),
  victimOf(withSegments(), exif('MM', [orientation(8)]), icc(1, 1, profile(132))),
  victimOf(
    await encoded(gradient(40, 33), 'jpeg', { progressive: true }),
    jfif,
    exif('MM', [orientation(3)]),
  ),
  victimOf(grayOf(0x11), exif('II', [orientation(5)]), segment(0xe1, 'http://ns.adobe.com/xap/1.0/\0<x/>')),
];

type Edit = readonly [what: 'set' | 'insert' | 'remove', place: number, value: number];

/** Positions are thousandths of the header. */
const changes = fc.array(
  fc.tuple(
    fc.constantFrom<Edit[0]>('set', 'set', 'set', 'set', 'set', 'set', 'insert', 'remove'),
    fc.noBias(fc.nat(999)),
    fc.oneof(fc.nat(255), fc.nat(9), fc.constantFrom(0x11, 0x12, 0x21, 0x22, 0xc0, 0xc2, 0xe1, 0xfe, 0xff)),
  ),
  { minLength: 1, maxLength: 3 },
);

function edited({ content, from, to }: Victim, edits: readonly Edit[]): Buffer {
  let bytes = content;
  for (const [what, place, value] of edits) {
    // Sometimes in the tables.
    const at =
      place < 100 ? Math.floor((place * from) / 100) : from + Math.floor(((place - 100) * (to - from)) / 900);
    const [before, behind] = [bytes.subarray(0, at), bytes.subarray(at + (what === 'insert' ? 0 : 1))];
    bytes = Buffer.concat([before, what === 'remove' ? Buffer.alloc(0) : Buffer.of(value), behind]);
  }
  return bytes;
}

const everything = planFrom({ output: { kind: 'image', format: 'png', quality: undefined } });

async function expectDecodedOrRefused(
  content: Uint8Array,
  header: NonNullable<ReturnType<typeof readJpegHeader>>,
): Promise<void> {
  if (header.width * header.height > 1_000_000) return;
  const outcome = await processOnePlan(content, header, everything, 1_000_000);
  if ('failure' in outcome) expect(outcome.failure.reason).toBe('IMAGE_CORRUPT');
  else expect(outcome.result.contentType).toBe('image/png');
}
