import type { ImageHeader } from '../header.ts';
import { type Orientation, orientationOf } from '../orientation.ts';
import { readJpegMetadata } from './metadata.ts';
import { isFactor, samplesOf } from './segments.ts';

/*
 * Figures without another source are from ITU-T T.81, annex B. A file that this reader rejects may still be valid:
 * libvips then reads it and reports the failure.
 */

/** Limit of segments before the first scan. A camera's file has about twenty; a hostile one may have a million. */
const mostSegments = 200;
/** Limit of tables in one DHT segment: four in each of the two classes. */
const mostHuffmanTables = 8;
/** libjpeg's JPEG_MAX_DIMENSION, in pixels. */
const longestSide = 65_500;

interface Component {
  readonly id: number;
  /** Sampling factors: horizontal in the upper four bits, vertical in the lower four. */
  readonly sampling: number;
  readonly quantization: number;
}

interface Frame {
  readonly isProgressive: boolean;
  readonly width: number;
  readonly height: number;
  readonly components: readonly Component[];
}

/** Findings from the segments before the first scan. */
interface Findings {
  frame?: Frame;
  hasIccProfile: boolean;
  isJfif: boolean;
  /** Adobe's colour transform. */
  transform?: number;
  /** Bit sets of the tables that are defined. Huffman tables are numbered by class and number, as in DHT. */
  quantization: number;
  huffman: number;
}

/**
 * Reads the header of a plain JPEG: baseline or progressive, 8 bits, gray or three components, at most one ICC
 * segment.
 *
 * @returns the same as `readHeader`; undefined if the file is not a plain JPEG or if libvips might read it
 *   differently, so that the caller must use libvips. Sizes are not checked
 */
export function readJpegHeader(content: Uint8Array): ImageHeader | undefined {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.length);
  if (bytes.length < 2 || bytes.readUInt16BE(0) !== 0xffd8) return undefined;
  const findings: Findings = { hasIccProfile: false, isJfif: false, quantization: 0, huffman: 0 };
  let at = 2;
  for (let segments = 0; segments < mostSegments; segments++) {
    if (at + 4 > bytes.length || bytes[at] !== 0xff) return undefined;
    const marker = bytes.readUInt8(at + 1);
    const end = at + 2 + bytes.readUInt16BE(at + 2);
    if (end < at + 4 || end >= bytes.length) return undefined;
    const body = bytes.subarray(at + 4, end);
    if (marker === 0xda) return headerOf(findings, body, orientationOf(readJpegMetadata(content)));
    if (!takeSegment(marker, body, findings)) return undefined;
    at = end;
  }
  return undefined;
}

/** Adds to the findings. @returns whether the meaning of the segment is certain */
function takeSegment(marker: number, body: Buffer, findings: Findings): boolean {
  switch (marker) {
    case 0xc0:
    case 0xc1:
    case 0xc2:
      return takeFrame(body, marker === 0xc2, findings);
    case 0xc4:
      return takeHuffmanTables(body, findings);
    case 0xdb:
      return takeQuantizationTables(body, findings);
    case 0xdd: // restart interval
      return body.length === 2;
    case 0xe0:
      return takeJfif(body, findings);
    case 0xe2:
      return takeIccProfile(body, findings);
    case 0xee:
      return takeAdobe(body, findings);
    default: // EXIF, XMP, other application segments, comments
      return marker === 0xe1 || (marker >= 0xe3 && marker <= 0xef) || marker === 0xfe;
  }
}

function takeFrame(body: Buffer, isProgressive: boolean, findings: Findings): boolean {
  if (findings.frame !== undefined || body.length < 6 || body[0] !== 8) return false;
  const [height, width, count] = [body.readUInt16BE(1), body.readUInt16BE(3), body.readUInt8(5)];
  if (Math.min(width, height) < 1 || Math.max(width, height) > longestSide) return false;
  if ((count !== 1 && count !== 3) || body.length !== 6 + 3 * count) return false;
  const components = Array.from({ length: count }, (_, index) => ({
    id: body.readUInt8(6 + 3 * index),
    sampling: body.readUInt8(7 + 3 * index),
    quantization: body.readUInt8(8 + 3 * index),
  }));
  findings.frame = { isProgressive, width, height, components };
  return isUsualSampling(components) && new Set(components.map(({ id }) => id)).size === count;
}

/** 4:4:4, 4:2:2, 4:2:0 or 4:1:1. A gray image may have any factors: they do not change the order of its samples. */
function isUsualSampling([first, ...others]: readonly Component[]): boolean {
  const sampling = first?.sampling ?? 0;
  if (others.length === 0) return isFactor(sampling >> 4) && isFactor(sampling & 15);
  return [0x11, 0x21, 0x22, 0x41].includes(sampling) && others.every((other) => other.sampling === 0x11);
}

function takeQuantizationTables(body: Buffer, findings: Findings): boolean {
  let at = 0;
  while (at < body.length) {
    const [precision, table] = [body.readUInt8(at) >> 4, body.readUInt8(at) & 15];
    if (precision > 1 || table > 3) return false;
    findings.quantization |= 1 << table;
    at += 1 + 64 * (1 + precision);
  }
  return at === body.length;
}

function takeHuffmanTables(body: Buffer, findings: Findings): boolean {
  let at = 0;
  for (let tables = 0; tables < mostHuffmanTables && at + 17 <= body.length; tables++) {
    const table = body.readUInt8(at);
    if ((table & 0xec) !== 0) return false;
    const codes = body.subarray(at + 1, at + 17).reduce((sum, count) => sum + count, 0);
    if (codes > 256) return false;
    findings.huffman |= 1 << table;
    at += 17 + codes;
  }
  return at === body.length;
}

/** JFIF 1.02. The rest of APP0, such as thumbnails, does not describe the image. */
function takeJfif(body: Buffer, findings: Findings): boolean {
  if (!startsWith(body, 'JFIF\0')) return true;
  findings.isJfif = true;
  return body.length >= 14 && body[5] === 1;
}

/** Adobe's Technical Note 5116, §18. */
function takeAdobe(body: Buffer, findings: Findings): boolean {
  if (!startsWith(body, 'Adobe')) return true;
  if (body.length < 12 || findings.transform !== undefined) return false;
  findings.transform = body.readUInt8(11);
  return findings.transform <= 1;
}

/** ICC.1, annex B.4: a profile in one segment, which states its own length. */
function takeIccProfile(body: Buffer, findings: Findings): boolean {
  // Several pictures in one file (CIPA DC-007): libvips tries another loader, for the gain map.
  if (startsWith(body, 'MPF')) return false;
  if (!startsWith(body, 'ICC_PROFILE')) return true;
  if (findings.hasIccProfile || body.length < 14 + 128) return false;
  findings.hasIccProfile = true;
  return (
    startsWith(body, 'ICC_PROFILE\0\x01\x01') &&
    body.readUInt32BE(14) === body.length - 14 &&
    body.toString('latin1', 14 + 36, 14 + 40) === 'acsp'
  );
}

/** @param scan - header of the first scan */
function headerOf(findings: Findings, scan: Buffer, orientation: Orientation): ImageHeader | undefined {
  const { frame, hasIccProfile } = findings;
  if (frame === undefined || !isColourKnown(frame, findings) || !isDecodable(frame, scan, findings)) {
    return undefined;
  }
  const { width, height, components } = frame;
  return {
    format: 'jpeg',
    width,
    height,
    ...orientation,
    colour: components.length === 1 ? 'gray' : 'rgb',
    bitDepth: 8,
    hasAlpha: false,
    hasIccProfile,
    frames: 1,
    // As in libjpeg: if components are not interleaved, all coefficients are held, as in a progressive JPEG.
    isProgressive: frame.isProgressive || scan[0] !== components.length,
    samplesPerPixel: samplesOf(components.map(({ sampling }) => sampling)) ?? components.length,
  };
}

/** Whether three components are Y, Cb, Cr or R, G, B, as in libjpeg's default_decompress_parms (jdapimin.c). */
function isColourKnown({ components }: Frame, { isJfif, transform }: Findings): boolean {
  if (components.length === 1 || isJfif || transform !== undefined) return true;
  const ids = String.fromCharCode(...components.map(({ id }) => id));
  return ids === '\x01\x02\x03' || ids === 'RGB';
}

/** Whether such a frame may begin with this scan, and all tables of the scan are defined. */
function isDecodable({ isProgressive, components }: Frame, scan: Buffer, findings: Findings): boolean {
  const count = scan[0] ?? 0;
  if (count < 1 || scan.length !== 4 + 2 * count) return false;
  if (!components.every(({ quantization }) => hasTable(findings.quantization, quantization))) return false;
  let next = 0;
  for (let index = 0; index < count; index++) {
    const id = scan[1 + 2 * index];
    const tables = scan.readUInt8(2 + 2 * index);
    next = 1 + components.findIndex((component, place) => place >= next && component.id === id);
    if (next === 0 || !hasTable(findings.huffman, tables >> 4)) return false;
    if (!isProgressive && !hasTable(findings.huffman, 0x10 | (tables & 15))) return false;
  }
  const [first, last, approximation = 0] = scan.subarray(1 + 2 * count);
  if (first !== 0) return false;
  return isProgressive ? last === 0 && approximation <= 13 : last === 63 && approximation === 0;
}

/** @param tables - bit set of the tables that are defined */
function hasTable(tables: number, table: number): boolean {
  return table < 32 && ((tables >>> table) & 1) === 1;
}

function startsWith(body: Buffer, text: string): boolean {
  return body.toString('latin1', 0, text.length) === text;
}
