import type { Size } from './shortest-edge.ts';

/** How a model's processor counts the tokens that stand for an image in its prompt. */
export interface TokenRule {
  /** Side of a patch, in pixels. */
  readonly patch: number;
  /** Side of the group of patches that a token stands for, in patches. */
  readonly merge: number;
  /** Whether a token ends each row. Unset: none does. */
  readonly endsRows?: true;
  /** Tokens around the rows. Unset: 0. */
  readonly others?: number;
}

/** The tokens of an image. */
export interface Tokens {
  /** Frames (1), rows and columns of patches. */
  readonly grid: readonly number[];
  readonly count: number;
}

/** `replace_image_token` of transformers' processors (processing_qwen2_vl.py, processing_hunyuan_vl.py). */
export function tokensOf({ patch, merge, endsRows, others = 0 }: TokenRule, { width, height }: Size): Tokens {
  const [rows, columns] = [Math.floor(height / patch), Math.floor(width / patch)];
  const count = endsRows
    ? Math.floor(rows / merge) * (Math.floor(columns / merge) + 1)
    : Math.floor((rows * columns) / merge ** 2);
  return { grid: [1, rows, columns], count: count + others };
}
