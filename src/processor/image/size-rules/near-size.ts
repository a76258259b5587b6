import { roundHalfToEven, type Size } from '../shortest-edge.ts';
import { sizeInWords } from '../words.ts';
import type { SizeRuleKind } from './size-rule.ts';

/**
 * The multiples that are closest to a size: `get_resize_output_image_size` of DPTImageProcessor in transformers
 * (image_processing_dpt.py).
 */
export interface NearSizeRule extends Size {
  readonly kind: 'nearSize';
  /** In pixels; ZoeDepth has a fraction. */
  readonly multiple: number;
  /** Whether both sides are scaled alike, by the scale that changes its side less. */
  readonly keepsRatio: boolean;
}

export const nearSize: SizeRuleKind<NearSizeRule> = {
  inWords: ({ multiple, keepsRatio, ...size }) =>
    `to multiples of ${multiple} near ${sizeInWords(size)}${keepsRatio ? ', in proportion' : ''}`,
  size({ width, height, multiple, keepsRatio }, source) {
    const across = width / source.width;
    const down = height / source.height;
    const common = Math.abs(1 - across) < Math.abs(1 - down) ? across : down;
    const side = (length: number, scale: number) =>
      Math.trunc(roundHalfToEven(((keepsRatio ? common : scale) * length) / multiple) * multiple);
    return { width: side(source.width, across), height: side(source.height, down) };
  },
};
