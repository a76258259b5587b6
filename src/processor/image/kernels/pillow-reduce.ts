import type { Cutout } from '../cutout.ts';
import type { Pixels } from '../pixels.ts';
import type { Size } from '../shortest-edge.ts';
import type { Box } from './resample.ts';
import { filterReach, type WeighingFilterName } from './weights.ts';

/** Source pixels per result pixel along each axis, whole numbers. */
export interface Factors {
  readonly across: number;
  readonly down: number;
}

/**
 * Pillow's `Image.reduce((across, down), part)`, byte for byte (Reduce.c): the mean of each block of pixels; the blocks
 * at the right and at the bottom may be smaller.
 *
 * @param source - [height, width, channels] uint8, without alpha
 * @returns [⌈height / down⌉, ⌈width / across⌉, channels] uint8, in an ArrayBuffer of its own
 */
export function reduce(source: Pixels, { across, down }: Factors, part: Cutout): Pixels {
  const { channels } = source;
  const [partWidth, partHeight] = [part.right - part.left, part.bottom - part.top];
  const [width, height] = [Math.ceil(partWidth / across), Math.ceil(partHeight / down)];
  const data = new Uint8Array(width * height * channels);
  const sums = new Uint32Array(width * channels);
  for (let y = 0; y < height; y++) {
    sums.fill(0);
    const rows = Math.min(down, partHeight - y * down);
    for (let row = 0; row < rows; row++) {
      const start = ((part.top + y * down + row) * source.width + part.left) * channels;
      addBlocks(source.data.subarray(start, start + partWidth * channels), sums, channels, across);
    }
    for (let x = 0; x < width; x++) {
      const count = rows * Math.min(across, partWidth - x * across);
      const [half, multiplier] = [Math.trunc(count / 2), reciprocal(count)];
      for (let at = x * channels; at < (x + 1) * channels; at++) {
        data[y * width * channels + at] = Math.imul((sums[at] as number) + half, multiplier) >>> 24;
      }
    }
  }
  return { data, width, height, channels };
}

function addBlocks(row: Uint8Array, sums: Uint32Array, channels: number, across: number): void {
  const blockLength = across * channels;
  for (let start = 0, to = 0; start < row.length; start += blockLength, to += channels) {
    const end = Math.min(row.length, start + blockLength);
    for (let channel = 0; channel < channels; channel++) {
      let sum = 0;
      for (let at = start + channel; at < end; at += channels) sum += row[at] as number;
      sums[to + channel] = (sums[to + channel] as number) + sum;
    }
  }
}

/** 2²⁴ / count, as division_UINT32 computes it in single precision. */
function reciprocal(count: number): number {
  return Math.trunc(Math.fround(2 ** 32 / Math.fround(256 * count)));
}

/** The first step of `Image.resize(…, reducing_gap)`: a reduction by whole factors, and the box in the reduced image. */
export interface Gap {
  readonly factors: Factors;
  /** The part of the source that is reduced. */
  readonly part: Cutout;
  readonly box: Box;
}

/**
 * The first step of Pillow's `Image.resize(target, filter, box, reducing_gap)`.
 *
 * @returns undefined if Pillow skips it, because the box is not large enough
 */
export function gapOf(
  source: Size,
  { width, height }: Size,
  filter: WeighingFilterName,
  [left, top, right, bottom]: Box,
  reducingGap: number,
): Gap | undefined {
  const across = Math.trunc((right - left) / width / reducingGap) || 1;
  const down = Math.trunc((bottom - top) / height / reducingGap) || 1;
  if (across === 1 && down === 1) return undefined;
  const reach = filterReach(filter) - 0.5;
  const reachAcross = (reach * (right - left)) / width;
  const reachDown = (reach * (bottom - top)) / height;
  const part = {
    left: Math.max(0, Math.trunc(left - reachAcross)),
    top: Math.max(0, Math.trunc(top - reachDown)),
    right: Math.min(source.width, Math.ceil(right + reachAcross)),
    bottom: Math.min(source.height, Math.ceil(bottom + reachDown)),
  };
  const box: Box = [
    (left - part.left) / across,
    (top - part.top) / down,
    (right - part.left) / across,
    (bottom - part.top) / down,
  ];
  return { factors: { across, down }, part, box };
}
