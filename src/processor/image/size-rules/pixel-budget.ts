import { roundHalfToEven, type Size } from '../shortest-edge.ts';
import { checkAspectRatio } from './aspect-ratio.ts';
import type { SizeRuleKind } from './size-rule.ts';

/**
 * The size closest to the image's whose sides are multiples of `factor` and whose pixels are within a budget:
 * `smart_resize` of transformers (image_processing_qwen2_vl.py, image_processing_glm4v.py,
 * image_processing_paddleocr_vl.py).
 */
export interface PixelBudgetRule {
  readonly kind: 'pixelBudget';
  /** In pixels. */
  readonly factor: number;
  readonly minPixels: number;
  readonly maxPixels: number;
  /** Frames of a video as which the image counts in the budget. Unset: 1. */
  readonly frames?: number | undefined;
  /** Whether a side that is rounded down to nothing becomes `factor`, as in image_processing_lfm2_vl.py. */
  readonly isNeverEmpty?: true;
  /**
   * How an image with a side shorter than `factor` is enlarged first, in proportion: `truncated` as in
   * image_processing_glm4v.py, `rounded` as in image_processing_paddleocr_vl.py. Unset: it is not.
   */
  readonly enlarged?: 'truncated' | 'rounded' | undefined;
}

/** Limit of the longer side ÷ the shorter side. */
const maxAspectRatio = 200;

export const pixelBudget: SizeRuleKind<PixelBudgetRule> = {
  inWords: ({ factor, minPixels, maxPixels, frames = 1 }) =>
    `to sides that are multiples of ${factor}, ${minPixels} to ${maxPixels} pixels${frames === 1 ? '' : ` in ${frames} frames`}`,
  size(rule, source) {
    const { factor, minPixels, maxPixels, frames = 1 } = rule;
    const { width, height } = enlarged(rule, source);
    const least = rule.isNeverEmpty ? factor : 0;
    const rounded = {
      width: Math.max(least, roundHalfToEven(width / factor) * factor),
      height: Math.max(least, roundHalfToEven(height / factor) * factor),
    };
    const pixels = frames * rounded.height * rounded.width;
    if (pixels > maxPixels) {
      const ratio = Math.sqrt((frames * height * width) / maxPixels);
      const side = (length: number) => Math.max(factor, Math.floor(length / ratio / factor) * factor);
      return { width: side(width), height: side(height) };
    }
    if (pixels < minPixels) {
      const ratio = Math.sqrt(minPixels / (frames * height * width));
      const side = (length: number) => Math.ceil((length * ratio) / factor) * factor;
      return { width: side(width), height: side(height) };
    }
    return rounded;
  },
  check(rule, source) {
    checkAspectRatio(enlarged(rule, source), maxAspectRatio, source);
  },
};

function enlarged({ factor, enlarged: rounding }: PixelBudgetRule, { width, height }: Size): Size {
  if (rounding === 'truncated' && (height < factor || width < factor)) {
    const scale = Math.max(factor / height, factor / width);
    return { width: Math.trunc(width * scale), height: Math.trunc(height * scale) };
  }
  if (rounding !== 'rounded') return { width, height };
  const tall =
    height < factor
      ? { width: roundHalfToEven((width * factor) / height), height: factor }
      : { width, height };
  return tall.width < factor
    ? { width: factor, height: roundHalfToEven((tall.height * factor) / tall.width) }
    : tall;
}
