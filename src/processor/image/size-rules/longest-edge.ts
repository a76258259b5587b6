import { roundHalfToEven } from '../shortest-edge.ts';
import type { SizeRuleKind } from './size-rule.ts';

/** The longer side becomes `longestEdge`, the other one is in proportion. */
export interface LongestEdgeRule {
  readonly kind: 'longestEdge';
  readonly longestEdge: number;
  /**
   * How transformers rounds: `halfUp` in SamImageProcessor (image_processing_sam.py, `_get_preprocess_shape`),
   * `halfToEven` in JanusImageProcessor and DeepseekVLImageProcessor (image_processing_janus.py, `resize`).
   */
  readonly rounding: 'halfUp' | 'halfToEven';
  /** Least side of the result, in pixels. Unset: 0. */
  readonly shortestSide?: number | undefined;
}

export const longestEdge: SizeRuleKind<LongestEdgeRule> = {
  inWords: ({ longestEdge: edge, shortestSide }) =>
    `the longer side to ${edge}${shortestSide === undefined ? '' : `, the shorter one to at least ${shortestSide}`}`,
  size({ longestEdge: edge, rounding, shortestSide = 0 }, { width, height }) {
    const scale = edge / Math.max(width, height);
    const round = rounding === 'halfUp' ? (value: number) => Math.trunc(value + 0.5) : roundHalfToEven;
    const side = (length: number) => Math.max(round(length * scale), shortestSide);
    return { width: side(width), height: side(height) };
  },
};
