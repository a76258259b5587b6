import { Failure } from '../../../failures.ts';
import type { ImageHeader } from '../header.ts';
import { exifOrientation, upright } from '../orientation.ts';
import { type BitReader, createBitReader, plus } from './bits.ts';
import { readJxlFile } from './container.ts';

/*
 * The header of a JPEG XL codestream: ISO/IEC 18181-1:2022, annex D. Names of fields are in the comments.
 */

/**
 * Reads the header of a JPEG XL.
 *
 * The decoder applies the codestream's own orientation; EXIF's counts as it does with Pillow and pillow-jxl-plugin.
 *
 * @throws FORMAT_UNSUPPORTED for samples that are not unsigned integers of 8 to 16 bits; IMAGE_CORRUPT
 */
export function readJxlHeader(content: Uint8Array): ImageHeader {
  try {
    const { codestream, exif } = readJxlFile(content);
    const bits = createBitReader(codestream.subarray(2));
    const size = readSize(bits);
    const metadata = readMetadata(bits);
    const isTransposed = metadata.orientation >= 5;
    return {
      format: 'jxl',
      width: isTransposed ? size.height : size.width,
      height: isTransposed ? size.width : size.height,
      ...(exifOrientation(exif) ?? upright),
      colour: metadata.isGray ? 'gray' : 'rgb',
      bitDepth: checkedDepth(metadata),
      hasAlpha: metadata.hasAlpha,
      hasIccProfile: metadata.hasIccProfile,
      frames: 1,
      isProgressive: false,
      samplesPerPixel: 3,
    };
  } catch (cause) {
    if (cause instanceof Failure) throw cause;
    const message = 'The header of this JPEG XL cannot be read.';
    throw new Failure('IMAGE_CORRUPT', message, { format: 'jxl' }, { cause });
  }
}

/** Ratios of width to height. */
const ratios = [
  [1, 1],
  [12, 10],
  [4, 3],
  [3, 2],
  [16, 9],
  [5, 4],
  [2, 1],
] as const;

/** SizeHeader. */
function readSize(bits: BitReader): { readonly width: number; readonly height: number } {
  const isSmall = bits.bool();
  const side = () =>
    isSmall ? 8 * (bits.bits(5) + 1) : bits.choice(plus(9, 1), plus(13, 1), plus(18, 1), plus(30, 1));
  const height = side();
  return { width: widthBy(bits, height, side), height };
}

function widthBy(bits: BitReader, height: number, side: () => number): number {
  const ratio = ratios[bits.bits(3) - 1];
  return ratio === undefined ? side() : Math.floor((height * ratio[0]) / ratio[1]);
}

interface Metadata {
  /** 1…8, as EXIF numbers them. */
  readonly orientation: number;
  readonly isFloat: boolean;
  readonly depth: number;
  readonly hasAlpha: boolean;
  readonly isGray: boolean;
  readonly hasIccProfile: boolean;
}

const alphaChannel = 0;
const grayColours = 1;

/** ImageMetadata. */
function readMetadata(bits: BitReader): Metadata {
  const isDefault = bits.bool();
  if (isDefault) {
    return {
      orientation: 1,
      isFloat: false,
      depth: 8,
      hasAlpha: false,
      isGray: false,
      hasIccProfile: false,
    };
  }
  const hasExtraFields = bits.bool();
  const orientation = hasExtraFields ? bits.bits(3) + 1 : 1;
  if (hasExtraFields) skipExtraFields(bits);
  const depth = readDepth(bits);
  bits.bool(); // modular_16bit_buffers
  let extraChannels = bits.choice(0, 1, plus(4, 2), plus(12, 1));
  let hasAlpha = false;
  for (; extraChannels > 0; extraChannels--) {
    if (readExtraChannel(bits) === alphaChannel) hasAlpha = true;
  }
  bits.bool(); // xyb_encoded
  // ColourEncoding.
  const isSrgb = bits.bool();
  const hasIccProfile = !isSrgb && bits.bool();
  const isGray = !isSrgb && bits.enumeration() === grayColours;
  return { orientation, ...depth, hasAlpha, isGray, hasIccProfile };
}

function skipExtraFields(bits: BitReader): void {
  const hasIntrinsicSize = bits.bool();
  if (hasIntrinsicSize) readSize(bits);
  const hasPreview = bits.bool();
  if (hasPreview) skipPreview(bits);
  const hasAnimation = bits.bool();
  if (hasAnimation) skipAnimation(bits);
}

/** PreviewHeader. */
function skipPreview(bits: BitReader): void {
  const isSmall = bits.bool();
  const side = () =>
    isSmall
      ? 8 * bits.choice(16, 32, plus(5, 1), plus(9, 33))
      : bits.choice(plus(6, 1), plus(8, 65), plus(10, 321), plus(12, 1345));
  widthBy(bits, side(), side);
}

/** AnimationHeader. */
function skipAnimation(bits: BitReader): void {
  bits.choice(100, 1000, plus(10, 1), plus(30, 1)); // tps_numerator
  bits.choice(1, 1001, plus(8, 1), plus(10, 1)); // tps_denominator
  bits.choice(0, plus(3, 0), plus(16, 0), plus(32, 0)); // num_loops
  bits.bool(); // have_timecodes
}

/** BitDepth. */
function readDepth(bits: BitReader): Pick<Metadata, 'isFloat' | 'depth'> {
  const isFloat = bits.bool();
  if (!isFloat) return { isFloat, depth: bits.choice(8, 10, 12, plus(6, 1)) };
  const depth = bits.choice(32, 16, 24, plus(6, 1));
  bits.bits(4); // exp_bits
  return { isFloat, depth };
}

/** ExtraChannelInfo. @returns the channel's type */
function readExtraChannel(bits: BitReader): number {
  const isPlainAlpha = bits.bool();
  if (isPlainAlpha) return alphaChannel;
  const type = bits.enumeration();
  readDepth(bits);
  bits.choice(0, 3, 4, plus(3, 1)); // dim_shift
  const nameBytes = bits.choice(0, plus(4, 0), plus(5, 16), plus(10, 48));
  for (let index = 0; index < nameBytes; index++) bits.bits(8);
  if (type === alphaChannel) bits.bool(); // alpha_associated
  // The four values of a spot colour.
  if (type === 2) for (let value = 0; value < 4; value++) bits.bits(16);
  if (type === 5) bits.choice(1, plus(2, 0), plus(4, 3), plus(8, 19)); // cfa_channel
  return type;
}

function checkedDepth({ isFloat, depth }: Metadata): ImageHeader['bitDepth'] {
  if (!isFloat && depth <= 8) return 8;
  if (!isFloat && depth <= 16) return 16;
  const name = `${isFloat ? 'floating-point numbers' : 'integers'} of ${depth} bits`;
  throw new Failure(
    'FORMAT_UNSUPPORTED',
    `The JPEG XL is of an unsupported kind. Its samples are ${name}; integers of up to 16 bits are supported. Convert it first, for example to PNG.`,
    { format: 'jxl', samples: name },
  );
}
