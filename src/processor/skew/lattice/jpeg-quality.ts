import type { Levels } from './hypothesis.ts';

/*
 * The quality of a JPEG from its pixels: the coefficients of its blocks are multiples of the steps of a quantization
 * table. The blocks begin at the picture's first pixel.
 */

/** Luminance, ITU-T T.81, table K.1, in rows. */
const luminance = [
  16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22,
  29, 51, 87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49, 64, 78, 87, 103,
  121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
];

/** Blocks that are looked at. */
const mostBlocks = 256;

/** The lowest quality that is looked for. */
const lowestQuality = 10;

/** Share of the distance of random coefficients from the nearest multiple, above which nothing was quantized. */
const randomShare = 0.85;

/**
 * The qualities that fit a picture best, the best first.
 *
 * @param picture - [height, width, 1 | 3] uint8
 * @returns up to `count`; empty if the picture shows no traces of a JPEG
 */
export function jpegQualitiesOf(picture: Levels, count: number): readonly number[] {
  const blocks = coefficientsOf(picture);
  if (blocks.length === 0) return [];
  const shares: { readonly quality: number; readonly share: number }[] = [];
  for (let quality = lowestQuality; quality <= 100; quality++)
    shares.push({ quality, share: shareOf(blocks, stepsOf(quality)) });
  shares.sort((a, b) => a.share - b.share);
  const [best] = shares;
  if (best === undefined || best.share > randomShare) return [];
  return shares.slice(0, count).map(({ quality }) => quality);
}

/** libjpeg's `jpeg_quality_scaling` and `jpeg_add_quant_table`. */
function stepsOf(quality: number): readonly number[] {
  const percent = quality < 50 ? Math.trunc(5000 / quality) : 200 - 2 * quality;
  return luminance.map((step) => Math.min(255, Math.max(1, Math.trunc((step * percent + 50) / 100))));
}

/**
 * How far the coefficients that are not zero are from multiples of their steps, as a share of the distance of random
 * ones, which is a quarter of a step.
 */
function shareOf(blocks: readonly Float64Array[], steps: readonly number[]): number {
  let [distance, random] = [0, 0];
  for (const block of blocks) {
    for (let at = 1; at < 64; at++) {
      const ratio = Math.abs((block[at] as number) / (steps[at] as number));
      if (ratio < 0.5) continue;
      distance += Math.abs(ratio - Math.round(ratio)) * (steps[at] as number);
      random += (steps[at] as number) / 4;
    }
  }
  return random === 0 ? 1 : distance / random;
}

/** The DCT of some of a picture's blocks of luma. */
function coefficientsOf(picture: Levels): readonly Float64Array[] {
  const { width, height, data } = picture;
  if (!(data instanceof Uint8Array)) return [];
  const [across, down] = [Math.floor(width / 8), Math.floor(height / 8)];
  const every = Math.max(1, Math.ceil((across * down) / mostBlocks));
  const blocks: Float64Array[] = [];
  for (let at = 0; at < across * down; at += every) {
    blocks.push(transformed(lumaOf(picture, (at % across) * 8, Math.floor(at / across) * 8)));
  }
  return blocks;
}

function lumaOf({ data, width, channels }: Levels, left: number, top: number): Float64Array {
  const block = new Float64Array(64);
  for (let at = 0; at < 64; at++) {
    const from = ((top + (at >> 3)) * width + left + (at & 7)) * channels;
    const [red, green, blue] = [data[from], data[from + 1], data[from + 2]] as [number, number, number];
    block[at] = channels === 1 ? red : 0.299 * red + 0.587 * green + 0.114 * blue;
  }
  return block;
}

/** The orthonormal DCT-II of 8 samples, as a matrix. */
const cosines = Array.from({ length: 8 }, (_, u) =>
  Array.from(
    { length: 8 },
    (__, x) => (u === 0 ? Math.SQRT1_2 : 1) * 0.5 * Math.cos(((2 * x + 1) * u * Math.PI) / 16),
  ),
);

function transformed(block: Float64Array): Float64Array {
  const alongRows = new Float64Array(64);
  const both = new Float64Array(64);
  for (let at = 0; at < 64; at++) alongRows[at] = product(cosines[at & 7], block, at & ~7, 1);
  for (let at = 0; at < 64; at++) both[at] = product(cosines[at >> 3], alongRows, at & 7, 8);
  return both;
}

function product(weights: readonly number[] = [], values: Float64Array, from: number, step: number): number {
  return weights.reduce((sum, weight, index) => sum + weight * (values[from + index * step] as number), 0);
}
