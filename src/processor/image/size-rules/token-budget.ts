import type { SizeRuleKind } from './size-rule.ts';

/**
 * The largest size in whole tokens, of which there are at most so many, with the image's proportions rounded down:
 * `get_aspect_ratio_preserving_size` of transformers (image_processing_gemma4.py).
 */
export interface TokenBudgetRule {
  readonly kind: 'tokenBudget';
  /** Side of a token, in pixels. */
  readonly side: number;
  readonly maxTokens: number;
}

export const tokenBudget: SizeRuleKind<TokenBudgetRule> = {
  inWords: ({ side, maxTokens }) =>
    `in proportion to at most ${maxTokens} tokens of ${side} × ${side} pixels, the sides rounded down to multiples of ${side}`,
  size({ side, maxTokens }, { width, height }) {
    const factor = Math.sqrt((maxTokens * side * side) / (height * width));
    const down = (length: number) => Math.floor((factor * length) / side) * side;
    const target = { width: down(width), height: down(height) };
    const along = (ratio: number) => Math.min(Math.floor(ratio) * side, maxTokens * side);
    if (target.height === 0) return { width: along(width / height), height: side };
    if (target.width === 0) return { width: side, height: along(height / width) };
    return target;
  },
};
