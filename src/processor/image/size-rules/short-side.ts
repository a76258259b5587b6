import { roundHalfToEven } from '../shortest-edge.ts';
import type { SizeRuleKind } from './size-rule.ts';

/**
 * The shorter side becomes `shortestEdge`, both are rounded half to even and then up to multiples:
 * `get_image_size` of PPLCNetImageProcessor in transformers (image_processing_pp_lcnet.py).
 */
export interface ShortSideRule {
  readonly kind: 'shortSide';
  readonly shortestEdge: number;
  /** In pixels. Unset: 1. */
  readonly multiple?: number | undefined;
}

export const shortSide: SizeRuleKind<ShortSideRule> = {
  inWords: ({ shortestEdge, multiple = 1 }) =>
    `the shorter side to ${shortestEdge}${multiple === 1 ? '' : `, both rounded up to multiples of ${multiple}`}`,
  size({ shortestEdge, multiple = 1 }, { width, height }) {
    const scale = shortestEdge / Math.min(width, height);
    const side = (length: number) => Math.ceil(roundHalfToEven(length * scale) / multiple) * multiple;
    return { width: side(width), height: side(height) };
  },
};
