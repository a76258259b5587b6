import { MalformedBoxes } from './boxes.ts';

/** How the samples of an AV1 image are stored: AV1 specification, 5.5. */
export interface SequenceHeader {
  /** In pixels. */
  readonly width: number;
  readonly height: number;
  readonly depth: 8 | 10 | 12;
  readonly isMonochrome: boolean;
  /** log2 of the columns, and of the rows, that share one sample of chroma: 1 and 1 in 4:2:0. */
  readonly shiftX: 0 | 1;
  readonly shiftY: 0 | 1;
  readonly colour: ColourCoding;
}

/** Code points of ITU-T H.273. */
export interface ColourCoding {
  readonly primaries: number;
  readonly matrix: number;
  readonly isFullRange: boolean;
}

const sequenceHeaderObu = 1;

/**
 * Finds and reads the sequence header of an AV1 image.
 *
 * @param data - open bitstream units, as stored in an item or a sample
 * @throws MalformedBoxes, RangeError
 */
export function readSequenceHeader(data: Buffer): SequenceHeader {
  for (let at = 0; at < data.length; ) {
    const head = data.readUInt8(at);
    const hasExtension = (head & 4) !== 0;
    const hasSize = (head & 2) !== 0;
    at += hasExtension ? 2 : 1;
    let size = data.length - at;
    if (hasSize) [size, at] = readLeb128(data, at);
    if (((head >> 3) & 15) === sequenceHeaderObu) return parse(data.subarray(at, at + size));
    at += size;
  }
  throw new MalformedBoxes('no sequence header');
}

/** AV1 specification, 4.10.5. */
function readLeb128(data: Buffer, start: number): [value: number, end: number] {
  let value = 0;
  for (let index = 0; index < 8; index++) {
    const byte = data.readUInt8(start + index);
    value += (byte & 0x7f) * 2 ** (7 * index);
    if (byte < 0x80) return [value, start + index + 1];
  }
  throw new MalformedBoxes('a length without an end');
}

/** AV1 specification, 5.5.1. Comments give the names of fields that are skipped. */
function parse(data: Buffer): SequenceHeader {
  const bits = bitReader(data);
  const profile = bits(3);
  bits(1); // still_picture
  const isReduced = bits(1) === 1;
  if (isReduced)
    bits(5); // seq_level_idx
  else skipOperatingPoints(bits);
  const widthBits = bits(4) + 1;
  const heightBits = bits(4) + 1;
  const width = bits(widthBits) + 1;
  const height = bits(heightBits) + 1;
  if (!isReduced && bits(1) === 1) bits(7); // the lengths of frame ids
  bits(3); // use_128x128_superblock, enable_filter_intra, enable_intra_edge_filter
  if (!isReduced) skipInterTools(bits);
  bits(3); // enable_superres, enable_cdef, enable_restoration
  return { width, height, ...readColour(bits, profile) };
}

type Bits = (count: number) => number;

function bitReader(data: Buffer): Bits {
  let at = 0;
  return (count) => {
    let value = 0;
    for (let index = 0; index < count; index++, at++) {
      value = value * 2 + ((data.readUInt8(at >> 3) >> (7 - (at & 7))) & 1);
    }
    return value;
  };
}

function skipOperatingPoints(bits: Bits): void {
  let delayBits = 0;
  const hasTiming = bits(1) === 1;
  if (hasTiming) {
    bits(64);
    if (bits(1) === 1) skipUvlc(bits);
    if (bits(1) === 1) {
      delayBits = bits(5) + 1;
      bits(42);
    }
  }
  const hasDisplayDelay = bits(1) === 1;
  const points = bits(5) + 1;
  for (let point = 0; point < points; point++) {
    bits(12); // operating_point_idc
    if (bits(5) > 7) bits(1); // seq_level_idx, seq_tier
    if (delayBits > 0 && bits(1) === 1) bits(2 * delayBits + 1);
    if (hasDisplayDelay && bits(1) === 1) bits(4);
  }
}

/** AV1 specification, 4.10.3. */
function skipUvlc(bits: Bits): void {
  let zeros = 0;
  while (bits(1) === 0) zeros++;
  if (zeros < 32) bits(zeros);
}

const selectedByFrame = 2;

function skipInterTools(bits: Bits): void {
  bits(4); // enable_interintra_compound, enable_masked_compound, enable_warped_motion, enable_dual_filter
  const hasOrderHint = bits(1) === 1;
  if (hasOrderHint) bits(2); // enable_jnt_comp, enable_ref_frame_mvs
  const screenContentTools = bits(1) === 1 ? selectedByFrame : bits(1);
  if (screenContentTools > 0 && bits(1) === 0) bits(1); // seq_choose_integer_mv, seq_force_integer_mv
  if (hasOrderHint) bits(3);
}

/** AV1 specification, 5.5.2. */
function readColour(bits: Bits, profile: number): Omit<SequenceHeader, 'width' | 'height'> {
  const isHigh = bits(1) === 1;
  const depth = profile === 2 && isHigh ? (bits(1) === 1 ? 12 : 10) : isHigh ? 10 : 8;
  const isMonochrome = profile !== 1 && bits(1) === 1;
  const isDescribed = bits(1) === 1;
  const [primaries, transfer, matrix] = isDescribed ? [bits(8), bits(8), bits(8)] : [2, 2, 2];
  if (isMonochrome) {
    const isFullRange = bits(1) === 1;
    return { depth, isMonochrome, shiftX: 1, shiftY: 1, colour: { primaries, matrix, isFullRange } };
  }
  // sRGB, stored as G, B and R.
  const isRgb = primaries === 1 && transfer === 13 && matrix === 0;
  const isFullRange = isRgb || bits(1) === 1;
  const colour = { primaries, matrix, isFullRange };
  if (isRgb || profile === 1) return { depth, isMonochrome, shiftX: 0, shiftY: 0, colour };
  if (profile === 0) return { depth, isMonochrome, shiftX: 1, shiftY: 1, colour };
  if (depth < 12) return { depth, isMonochrome, shiftX: 1, shiftY: 0, colour };
  const shiftX = bits(1) === 1 ? 1 : 0;
  const shiftY = shiftX === 1 && bits(1) === 1 ? 1 : 0;
  return { depth, isMonochrome, shiftX, shiftY, colour };
}
