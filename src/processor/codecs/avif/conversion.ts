import { Failure } from '../../../failures.ts';
import type { ColourCoding, SequenceHeader } from './sequence-header.ts';

/*
 * The arithmetic that libavif 1.4 chooses to convert Y, Cb and Cr to RGB (reformat.c and reformat_libyuv.c): libyuv's
 * integers for the common matrices, its own FP32 for the others. Code points are from ITU-T H.273.
 */

/** libyuv's factors: 6 fraction bits, and 16 more for luma (row_common.cc). */
export interface FixedMatrix {
  readonly kind: 'fixed';
  /** Factor of luma × 257; the product is shifted right by 16. */
  readonly luma: number;
  readonly bias: number;
  readonly cbToBlue: number;
  readonly cbToGreen: number;
  readonly crToGreen: number;
  readonly crToRed: number;
}

/** libavif's own formulas in FP32. */
export interface FloatMatrix {
  readonly kind: 'float' | 'identity' | 'ycgco';
  /** Weights of red and blue in luma. Unused unless the kind is `float`. */
  readonly kr: number;
  readonly kb: number;
  readonly isFullRange: boolean;
}

export type Conversion = FixedMatrix | FloatMatrix;

const fixed = (
  luma: number,
  bias: number,
  cbToBlue: number,
  cbToGreen: number,
  crToGreen: number,
  crToRed: number,
): FixedMatrix => ({ kind: 'fixed', luma, bias, cbToBlue, cbToGreen, crToGreen, crToRed });

/** libyuv's constants by matrix: for limited range and for full range. `cbToBlue` is clamped to 128. */
const bt601 = [fixed(18997, -1160, 128, 25, 52, 102), fixed(16320, 32, 113, 22, 46, 90)] as const;
const bt709 = [fixed(18997, -1160, 128, 14, 34, 115), fixed(16320, 32, 119, 12, 30, 101)] as const;
const bt2020 = [fixed(19003, -1160, 128, 12, 42, 107), fixed(16320, 32, 120, 11, 37, 94)] as const;

const fixedByMatrix: Readonly<Record<number, readonly [FixedMatrix, FixedMatrix]>> = {
  1: bt709,
  2: bt601,
  5: bt601,
  6: bt601,
  9: bt2020,
};

/** Matrix 12 is derived from the primaries; these are the matrices that belong to them. */
const fixedByPrimaries: typeof fixedByMatrix = { 1: bt709, 2: bt709, 5: bt601, 6: bt601, 9: bt2020 };

const lumaShares: Readonly<Record<number, readonly [kr: number, kb: number]>> = {
  1: [0.2126, 0.0722],
  2: [0.299, 0.114],
  4: [0.3, 0.11],
  5: [0.299, 0.114],
  6: [0.299, 0.114],
  7: [0.212, 0.087],
  9: [0.2627, 0.0593],
};

const identity = 0;
const derived = 12;
const ycgco = 8;

/**
 * Chooses the conversion of an image.
 *
 * @throws FORMAT_UNSUPPORTED for a matrix that is not computed here
 */
export function conversionOf(
  { isMonochrome, shiftX }: Pick<SequenceHeader, 'isMonochrome' | 'shiftX'>,
  { primaries, matrix, isFullRange }: ColourCoding,
): Conversion {
  // Monochrome images have no G, B and R to copy; libavif then uses BT.601.
  const effective = isMonochrome && matrix === identity ? 6 : matrix;
  const found = effective === derived ? fixedByPrimaries[primaries] : fixedByMatrix[effective];
  if (found !== undefined) return found[isFullRange ? 1 : 0];
  if (effective === identity && shiftX === 0) return { kind: 'identity', kr: 0, kb: 0, isFullRange };
  if (effective === ycgco && isFullRange) return { kind: 'ycgco', kr: 0, kb: 0, isFullRange };
  // Only BT.601, 709 and 2020 primaries are listed above. A monochrome image needs no others: they do not change luma.
  if (effective === derived && isMonochrome) return { kind: 'float', kr: 0, kb: 0, isFullRange };
  const shares = lumaShares[effective];
  if (shares !== undefined) return { kind: 'float', kr: shares[0], kb: shares[1], isFullRange };
  throw new Failure(
    'FORMAT_UNSUPPORTED',
    `The colours of this AVIF are coded by matrix ${matrix} of ITU-T H.273${isFullRange ? '' : ' in limited range'}; 0, 1, 2, 4 to 9 and 12 with the primaries of BT.601, 709 or 2020 are supported.`,
    { matrix, primaries },
  );
}
