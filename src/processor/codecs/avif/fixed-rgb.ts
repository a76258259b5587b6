import type { FixedMatrix } from './conversion.ts';
import { cbChannel, crChannel, type Planes, readLuma, shiftOf } from './planes.ts';
import type { SequenceHeader } from './sequence-header.ts';

/**
 * Converts Y, Cb and Cr to RGB as libyuv does, in integers with 6 fraction bits (YuvPixel in row_common.cc).
 *
 * @param hasAlpha - libavif calls other functions of libyuv for pictures with alpha
 * @param pixels - [height, width, channels] uint8; the first three channels are written
 */
export function fillByFixed(
  planes: Planes,
  sequence: SequenceHeader,
  matrix: FixedMatrix,
  hasAlpha: boolean,
  pixels: Uint8Array,
): void {
  const { width, height } = planes;
  const channels = hasAlpha ? 4 : 3;
  const { depth, isSmooth } = precisionOf(sequence, hasAlpha);
  const chromaRow = createChromaRows(planes, sequence, depth, isSmooth);
  const { cbToBlue, cbToGreen, crToGreen, crToRed } = matrix;
  const lumas = lumaTable(matrix, depth);
  const luma = new Uint16Array(width);
  const cb = new Uint16Array(width).fill(2 ** (depth - 1));
  const cr = cb.slice();
  const shift = depth - 8;
  for (let y = 0, at = 0; y < height; y++) {
    readLuma(planes, y, depth, luma);
    if (!sequence.isMonochrome) {
      chromaRow(y, cbChannel, cb);
      chromaRow(y, crChannel, cr);
    }
    for (let x = 0; x < width; x++, at += channels) {
      const bright = lumas[luma[x] as number] as number;
      const u = ((cb[x] as number) >> shift) - 128;
      const v = ((cr[x] as number) >> shift) - 128;
      pixels[at] = clamp((bright + v * crToRed) >> 6);
      pixels[at + 1] = clamp((bright - (u * cbToGreen + v * crToGreen)) >> 6);
      pixels[at + 2] = clamp((bright + u * cbToBlue) >> 6);
    }
  }
}

/**
 * With alpha, libyuv reads 10 bits as they are. It also reads 12 bits if chroma is subsampled both ways, but without
 * interpolation. All other samples are first reduced to 8 bits (getLibYUVConversionFunction in reformat_libyuv.c).
 */
function precisionOf(
  { depth, isMonochrome, shiftY }: SequenceHeader,
  hasAlpha: boolean,
): { depth: number; isSmooth: boolean } {
  if (!hasAlpha || isMonochrome) return { depth: 8, isSmooth: true };
  if (depth === 10) return { depth, isSmooth: true };
  if (depth === 12 && shiftY === 1) return { depth, isSmooth: false };
  return { depth: 8, isSmooth: true };
}

/** The luma term of each colour, by luma: expanded to 16 bits by repeating its highest bits, times the factor. */
function lumaTable({ luma, bias }: FixedMatrix, depth: number): Int32Array {
  return Int32Array.from({ length: 2 ** depth }, (_, value) => {
    const wide = (value << (16 - depth)) | (value >> (2 * depth - 16));
    return Math.floor((wide * luma) / 65_536) + bias;
  });
}

function clamp(value: number): number {
  return value < 0 ? 0 : Math.min(value, 255);
}

/**
 * Reads chroma in full size, row by row. Subsampled chroma is interpolated as in libyuv's ScaleRowUp2 functions: the
 * nearest sample weighs 9/16, its two neighbours 3/16 each, the diagonal one 1/16. Along a border the weights are 3/4
 * and 1/4; in a corner the nearest sample weighs 1.
 *
 * @returns a function that fills a row of a channel with samples of `depth` bits
 */
function createChromaRows(
  planes: Planes,
  { shiftX, shiftY }: SequenceHeader,
  depth: number,
  isSmooth: boolean,
): (y: number, channel: number, row: Uint16Array) => void {
  const { samples, width, height } = planes;
  const shift = shiftOf(planes, depth);
  const half = (width + 1) >> 1;
  const sums = new Uint16Array(half);

  function copy(y: number, channel: number, row: Uint16Array): void {
    let at = y * width * 3 + channel;
    for (let x = 0; x < width; x++, at += 3) row[x] = (samples[at] as number) >> shift;
  }
  /** Weighted sums of two rows, in quarters. */
  function sumRows(near: number, far: number, channel: number): void {
    let atNear = near * width * 3 + channel;
    let atFar = far * width * 3 + channel;
    for (let x = 0; x < half; x++, atNear += 6, atFar += 6) {
      sums[x] = 3 * ((samples[atNear] as number) >> shift) + ((samples[atFar] as number) >> shift);
    }
  }
  function widen(row: Uint16Array): void {
    for (let x = 1; x < width - 1; x++) {
      const near = x >> 1;
      const far = near + ((x & 1) === 1 ? 1 : -1);
      row[x] = (3 * (sums[near] as number) + (sums[far] as number) + 8) >> 4;
    }
    row[0] = ((sums[0] as number) + 2) >> 2;
    row[width - 1] = ((sums[(width - 1) >> 1] as number) + 2) >> 2;
  }
  if (!isSmooth || shiftX === 0) return copy;
  return (y, channel, row) => {
    const near = shiftY === 1 ? y & ~1 : y;
    const isBorder = shiftY === 0 || y === 0 || (y === height - 1 && (y & 1) === 1);
    sumRows(near, isBorder ? near : (y & 1) === 1 ? near + 2 : near - 2, channel);
    widen(row);
  };
}
