import type { Size } from '../shortest-edge.ts';
import type { SizeRuleKind } from './size-rule.ts';

/**
 * A line of text gets a height, and a width in proportion: OCRReisizeNormImg.resize_norm_img of PaddleOCR
 * (paddlex/inference/models/text_recognition/processors.py).
 */
export interface TextLineRule {
  readonly kind: 'textLine';
  /** Size of the input for lines that are not wider, in pixels. */
  readonly input: Size;
  /** Limit of the width, in pixels. Wider lines lose their proportions. */
  readonly longestWidth: number;
}

export const textLine: SizeRuleKind<TextLineRule> = {
  inWords: ({ input, longestWidth }) =>
    `to the height ${input.height}, the width in proportion and at most ${longestWidth}`,
  size({ input: { width, height }, longestWidth }, source) {
    const ratio = source.width / source.height;
    const inputWidth = Math.trunc(height * Math.max(width / height, ratio));
    if (inputWidth > longestWidth) return { width: longestWidth, height };
    return { width: Math.min(inputWidth, Math.ceil(height * ratio)), height };
  },
};
