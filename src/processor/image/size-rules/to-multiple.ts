import { type Edges, type Size, sizeByEdges } from '../shortest-edge.ts';
import { edgesInWords } from '../words.ts';
import type { SizeRuleKind } from './size-rule.ts';

/**
 * A size whose sides are then made multiples of a number:
 *
 * - of the image itself, rounded down: GLPNImageProcessor of transformers;
 * - by edges, rounded down: YolosImageProcessor (get_size_with_aspect_ratio_yolos), rounded up: TextNetImageProcessor,
 *   MaskFormerImageProcessor and Mask2FormerImageProcessor.
 */
export interface ToMultipleRule {
  readonly kind: 'toMultiple';
  /** In pixels. */
  readonly multiple: number;
  readonly rounding: 'down' | 'up';
  /** The size before it is rounded. Unset: the image's own. */
  readonly edges?: Edges | undefined;
}

export const toMultiple: SizeRuleKind<ToMultipleRule> = {
  inWords: ({ multiple, rounding, edges }) =>
    `${edges === undefined ? 'to its own size' : edgesInWords(edges)}, both rounded ${rounding} to multiples of ${multiple}`,
  size({ multiple, rounding, edges }, source) {
    const round = rounding === 'down' ? Math.floor : Math.ceil;
    const { width, height }: Size = edges === undefined ? source : sizeByEdges(source, edges);
    return { width: round(width / multiple) * multiple, height: round(height / multiple) * multiple };
  },
};
