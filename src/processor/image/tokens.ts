import type { PictureSizes } from './extras/extra.ts';
import type { Size } from './shortest-edge.ts';
import { bestResolution } from './views/any-resolution.ts';
import type { Grid } from './views/grids.ts';

/** How the tokens are counted that stand for an image in a model's prompt. */
export type TokenRule = PatchTokens | PictureTokens | AreaTokens | AnyResolutionTokens;

/** A token for each group of patches of the picture before it is cut. */
export interface PatchTokens {
  readonly kind: 'patches';
  /** Side of a patch, in pixels. */
  readonly patch: number;
  /** Side of the group of patches that a token stands for, in patches. */
  readonly merge: number;
  /** Whether a token ends each row. Unset: none does. */
  readonly endsRows?: true;
  /** Tokens around the rows. Unset: 0. */
  readonly others?: number;
}

/** As many tokens for each picture. */
export interface PictureTokens {
  readonly kind: 'pictures';
  readonly each: number;
}

/** A token for each square of every picture without its bars. */
export interface AreaTokens {
  readonly kind: 'areas';
  /** Side of a square, in pixels. */
  readonly side: number;
  /** Tokens besides. Unset: 0. */
  readonly others?: number;
}

/**
 * LLaVA-NeXT's: those of the whole image, and one for each patch of the tiles that is not black, with one at the end of
 * each row (`get_num_image_tokens` of llava_next.py and llava_onevision.py in vLLM).
 */
export interface AnyResolutionTokens {
  readonly kind: 'anyResolution';
  readonly resolutions: readonly Size[];
  /** Side of a tile, in pixels. */
  readonly tile: number;
  /** Patches along the side of a tile. */
  readonly side: number;
  /** Tokens of the whole image. */
  readonly whole: number;
  /** The tiles whose patches are kept; those of more are interpolated to as many. Unset: all are kept. */
  readonly maxTiles?: number;
}

/** The tokens of an image. */
export interface Tokens {
  /** Frames (1), rows and columns of patches. Empty if the image is not cut into patches. */
  readonly grid: readonly number[];
  readonly count: number;
}

export function tokensOf(rule: TokenRule, { source, picture, pictures, contents }: PictureSizes): Tokens {
  switch (rule.kind) {
    case 'patches':
      return tokensOfPatches(rule, picture);
    case 'pictures':
      return { grid: [], count: rule.each * pictures.length };
    case 'areas':
      return { grid: [], count: tokensOfAreas(rule, contents) };
    case 'anyResolution':
      return { grid: [], count: tokensOfTiles(rule, source) };
  }
}

/** `replace_image_token` of transformers' processors (processing_qwen2_vl.py, processing_hunyuan_vl.py). */
function tokensOfPatches(
  { patch, merge, endsRows, others = 0 }: PatchTokens,
  { width, height }: Size,
): Tokens {
  const [rows, columns] = [Math.floor(height / patch), Math.floor(width / patch)];
  const count = endsRows
    ? Math.floor(rows / merge) * (Math.floor(columns / merge) + 1)
    : Math.floor((rows * columns) / merge ** 2);
  return { grid: [1, rows, columns], count: count + others };
}

function tokensOfAreas({ side, others = 0 }: AreaTokens, pictures: readonly Size[]): number {
  const areas = pictures.map(({ width, height }) => Math.floor(width / side) * Math.floor(height / side));
  return areas.reduce((sum, area) => sum + area, others);
}

function tokensOfTiles(rule: AnyResolutionTokens, source: Size): number {
  const { tile, side, whole, maxTiles } = rule;
  const best = bestResolution(source, rule.resolutions);
  let { rows, columns } = withoutBars(source, {
    rows: side * Math.floor(best.height / tile),
    columns: side * Math.floor(best.width / tile),
  });
  const ratio = maxTiles === undefined ? 1 : Math.sqrt((rows * columns) / (maxTiles * side ** 2));
  if (ratio > 1.1) {
    rows = floorDivision(rows, ratio);
    columns = floorDivision(columns, ratio);
  }
  return whole + rows * (columns + 1);
}

/** The grid without the rows or columns that are black. */
function withoutBars({ width, height }: Size, { rows, columns }: Grid): Grid {
  if (width / height > columns / rows) {
    const inner = wholePart(height * (columns / width));
    return { rows: rows - 2 * Math.floor((rows - inner) / 2), columns };
  }
  const inner = wholePart(width * (rows / height));
  return { rows, columns: columns - 2 * Math.floor((columns - inner) / 2) };
}

/** Python's `//`. The quotient itself may be rounded up to a whole number. */
function floorDivision(dividend: number, divisor: number): number {
  return Math.round((dividend - (dividend % divisor)) / divisor);
}

/** `int(round(value, 7))` */
function wholePart(value: number): number {
  return Math.trunc(Number(value.toFixed(7)));
}
