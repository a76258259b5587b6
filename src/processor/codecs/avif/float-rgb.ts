import type { FloatMatrix } from './conversion.ts';
import { cbChannel, crChannel, lumaChannel, type Planes, readLuma, shiftOf } from './planes.ts';
import type { SequenceHeader } from './sequence-header.ts';

const { fround } = Math;

/**
 * Converts Y, Cb and Cr to RGB as libavif does where libyuv has no constants: each step is rounded to FP32
 * (avifImageYUVAnyToRGBAnySlow in reformat.c).
 *
 * @param pixels - [height, width, 3 | 4] uint8; the first three channels are written
 */
export function fillByFloat(
  planes: Planes,
  sequence: SequenceHeader,
  matrix: FloatMatrix,
  hasAlpha: boolean,
  pixels: Uint8Array,
): void {
  const { depth } = sequence;
  const { width, height } = planes;
  const channels = hasAlpha ? 4 : 3;
  const lumas = lumaTable(depth, matrix.isFullRange);
  const chromas = matrix.kind === 'identity' ? lumas : chromaTable(depth, matrix.isFullRange);
  const chromaRow = createChromaRows(planes, sequence, chromas);
  const toRgb = sequence.isMonochrome ? lumaToRgb : converterOf(matrix);
  const luma = new Uint16Array(width);
  const [cb, cr] = [new Float32Array(width), new Float32Array(width)];
  for (let y = 0, at = 0; y < height; y++) {
    readLuma(planes, y, depth, luma);
    if (!sequence.isMonochrome) {
      chromaRow(y, cbChannel, cb);
      chromaRow(y, crChannel, cr);
    }
    for (let x = 0; x < width; x++, at += channels) {
      toRgb(lumas[luma[x] as number] as number, cb[x] as number, cr[x] as number, pixels, at);
    }
  }
}

/**
 * Converts Y to gray in the same FP32.
 *
 * @returns [height, width, 1] uint8
 */
export function toGray(planes: Planes, depth: number, isFullRange: boolean): Uint8Array {
  const { samples, width, height, channels } = planes;
  const bytes = Uint8Array.from(lumaTable(depth, isFullRange), toByte);
  const shift = shiftOf(planes, depth);
  const gray = new Uint8Array(width * height);
  for (let to = 0, from = channels === 1 ? 0 : lumaChannel; to < gray.length; to++, from += channels) {
    gray[to] = bytes[(samples[from] as number) >> shift] as number;
  }
  return gray;
}

function lumaTable(depth: number, isFullRange: boolean): Float32Array {
  const scale = 2 ** (depth - 8);
  const [black, range] = isFullRange ? [0, 2 ** depth - 1] : [16 * scale, 219 * scale];
  return Float32Array.from({ length: 2 ** depth }, (_, value) => (value - black) / range);
}

function chromaTable(depth: number, isFullRange: boolean): Float32Array {
  const range = isFullRange ? 2 ** depth - 1 : 224 * 2 ** (depth - 8);
  return Float32Array.from({ length: 2 ** depth }, (_, value) => (value - 2 ** (depth - 1)) / range);
}

function toByte(share: number): number {
  const clamped = share < 0 ? 0 : Math.min(share, 1);
  return Math.trunc(fround(0.5 + fround(clamped * 255)));
}

type ToRgb = (y: number, cb: number, cr: number, pixels: Uint8Array, at: number) => void;

function lumaToRgb(y: number, _cb: number, _cr: number, pixels: Uint8Array, at: number): void {
  pixels.fill(toByte(y), at, at + 3);
}

function converterOf({ kind, kr: red, kb: blue }: FloatMatrix): ToRgb {
  if (kind === 'identity') {
    return (y, cb, cr, pixels, at) => {
      pixels[at] = toByte(cr);
      pixels[at + 1] = toByte(y);
      pixels[at + 2] = toByte(cb);
    };
  }
  if (kind === 'ycgco') {
    return (y, cg, co, pixels, at) => {
      const rest = fround(y - cg);
      pixels[at] = toByte(fround(rest + co));
      pixels[at + 1] = toByte(fround(y + cg));
      pixels[at + 2] = toByte(fround(rest - co));
    };
  }
  const [kr, kb] = [fround(red), fround(blue)];
  const kg = fround(fround(1 - kr) - kb);
  const [toRed, toBlue] = [fround(2 * fround(1 - kr)), fround(2 * fround(1 - kb))];
  const [greenOfCr, greenOfCb] = [fround(kr * fround(1 - kr)), fround(kb * fround(1 - kb))];
  return (y, cb, cr, pixels, at) => {
    const both = fround(fround(greenOfCr * cr) + fround(greenOfCb * cb));
    pixels[at] = toByte(fround(y + fround(toRed * cr)));
    pixels[at + 1] = toByte(fround(y - fround(fround(2 * both) / kg)));
    pixels[at + 2] = toByte(fround(y + fround(toBlue * cb)));
  };
}

/**
 * Reads chroma in full size, row by row, through a table of sample values. Subsampled chroma is interpolated with the
 * weights of fixed-rgb.ts. Beyond a border, and where a column or row has no neighbour, the nearest sample is repeated.
 */
function createChromaRows(
  planes: Planes,
  { depth, shiftX, shiftY }: SequenceHeader,
  table: Float32Array,
): (y: number, channel: number, row: Float32Array) => void {
  const { samples, width, height } = planes;
  const shift = shiftOf(planes, depth);
  const valueAt = (x: number, y: number, channel: number) =>
    table[(samples[(y * width + x) * 3 + channel] as number) >> shift] as number;
  /** Column or row of the neighbouring sample. The planes repeat subsampled samples, so these come in pairs. */
  function neighbour(at: number, length: number, isHalf: boolean): number {
    if (!isHalf || at === 0 || (at === length - 1 && at % 2 === 1)) return at;
    return at % 2 === 1 ? at + 1 : at - 1;
  }
  return (y, channel, row) => {
    const otherY = neighbour(y, height, shiftY === 1);
    for (let x = 0; x < width; x++) {
      const near = valueAt(x, y, channel);
      if (shiftX === 0) {
        row[x] = near;
        continue;
      }
      const otherX = neighbour(x, width, true);
      const beside = fround(near * 0.5625) + fround(valueAt(otherX, y, channel) * 0.1875);
      const two = fround(fround(beside) + fround(valueAt(x, otherY, channel) * 0.1875));
      row[x] = two + fround(valueAt(otherX, otherY, channel) * 0.0625);
    }
  };
}
