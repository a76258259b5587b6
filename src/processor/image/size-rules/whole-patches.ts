import type { Size } from '../shortest-edge.ts';
import { sizeInWords } from '../words.ts';
import type { SizeRuleKind } from './size-rule.ts';

/**
 * The image reduced to a size and rounded up to whole patches: `get_resize_output_image_size` of PixtralImageProcessor
 * in transformers (image_processing_pixtral.py).
 */
export interface WholePatchesRule extends Size {
  readonly kind: 'wholePatches';
  /** In pixels. */
  readonly patch: Size;
}

export const wholePatches: SizeRuleKind<WholePatchesRule> = {
  inWords: ({ patch, ...size }) =>
    `larger images to fit into ${sizeInWords(size)}, all to whole patches of ${sizeInWords(patch)}`,
  size(rule, source) {
    const ratio = Math.max(source.height / rule.height, source.width / rule.width);
    const side = (length: number, patch: number) => {
      const reduced = ratio > 1 ? Math.floor(length / ratio) : length;
      return (Math.floor((reduced - 1) / patch) + 1) * patch;
    };
    return { width: side(source.width, rule.patch.width), height: side(source.height, rule.patch.height) };
  },
};
