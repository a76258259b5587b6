import type { SizeRuleKind } from './size-rule.ts';

/**
 * The shorter side becomes `shortestEdge`, unless the longer one becomes longer than 1333/800 of it; then both are
 * multiples: ViltImageProcessor and BridgeTowerImageProcessor of transformers (image_processing_vilt.py, `resize`).
 */
export interface EdgeRangeRule {
  readonly kind: 'edgeRange';
  readonly shortestEdge: number;
  /** In pixels; sides are rounded down to it. */
  readonly multiple: number;
}

export const edgeRange: SizeRuleKind<EdgeRangeRule> = {
  inWords: ({ shortestEdge, multiple }) =>
    `the shorter side to ${shortestEdge}, the longer one to at most ${Math.trunc((1333 / 800) * shortestEdge)}, both rounded down to multiples of ${multiple}`,
  size({ shortestEdge, multiple }, source) {
    const limit = Math.trunc((1333 / 800) * shortestEdge);
    const scale = shortestEdge / Math.min(source.width, source.height);
    const isWide = source.height < source.width;
    let width = isWide ? source.width * scale : shortestEdge;
    let height = isWide ? shortestEdge : source.height * scale;
    const longer = Math.max(width, height);
    if (longer > limit) {
      const factor = limit / longer;
      width *= factor;
      height *= factor;
    }
    const side = (length: number) => Math.floor(Math.trunc(length + 0.5) / multiple) * multiple;
    return { width: side(width), height: side(height) };
  },
};
