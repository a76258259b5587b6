import { Failure } from '../../../failures.ts';
import { roundHalfToEven, type Size } from '../shortest-edge.ts';
import { checkAspectRatio } from './aspect-ratio.ts';
import type { SizeRuleKind } from './size-rule.ts';

/**
 * Half of the image's sides, scaled so that the shorter side has at least √minPixels and the longer one at most
 * √maxPixels, in multiples of `factor`: `smart_resize` of transformers (image_processing_glm_image.py).
 */
export interface HalvedEdgesRule {
  readonly kind: 'halvedEdges';
  /** In pixels. */
  readonly factor: number;
  readonly minPixels: number;
  readonly maxPixels: number;
}

/** Limit of the longer side ÷ the shorter side. */
const maxAspectRatio = 4;

export const halvedEdges: SizeRuleKind<HalvedEdgesRule> = {
  inWords: ({ factor, minPixels, maxPixels }) =>
    `to half its sides, as multiples of ${factor}: the shorter side at least √${minPixels} and the longer one at most √${maxPixels} before they are halved`,
  size({ factor, minPixels, maxPixels }, source) {
    const shortest = roundHalfToEven(Math.sqrt(minPixels));
    const longest = roundHalfToEven(Math.sqrt(maxPixels));
    const enlarged = Math.max(1, shortest / Math.min(source.width, source.height));
    const longer = Math.max(source.width, source.height);
    const scale = longer * enlarged > longest ? longest / longer : enlarged;
    const side = (length: number) =>
      Math.max(factor, roundHalfToEven((Math.floor(length / 2) * scale) / factor) * factor);
    const size = { width: side(source.width), height: side(source.height) };
    return within(size, longest, factor);
  },
  check({ factor }, { width, height }) {
    const shorter = Math.min(width, height);
    if (shorter < factor) {
      throw new Failure(
        'IMAGE_TOO_SMALL',
        `The image has ${width} × ${height} pixels; the model's processor takes sides of at least ${factor}. Send a larger image.`,
        { limit: factor, actual: shorter, width, height },
      );
    }
    checkAspectRatio({ width, height }, maxAspectRatio);
  },
};

function within(size: Size, longest: number, factor: number): Size {
  const longer = Math.max(size.width, size.height);
  if (longer <= longest) return size;
  const ratio = longer / longest;
  const side = (length: number) => Math.max(factor, Math.floor(length / ratio / factor) * factor);
  return { width: side(size.width), height: side(size.height) };
}
