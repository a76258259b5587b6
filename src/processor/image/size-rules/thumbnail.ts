import type { Size } from '../shortest-edge.ts';
import { sizeInWords } from '../words.ts';
import type { SizeRuleKind } from './size-rule.ts';

/**
 * The image itself, or if it does not fit into a size, reduced in proportion to its longer side:
 * `DonutImageProcessor.thumbnail` of transformers (image_processing_donut.py). The other side may still be too long.
 */
export interface ThumbnailRule extends Size {
  readonly kind: 'thumbnail';
}

export const thumbnail: SizeRuleKind<ThumbnailRule> = {
  inWords: (size) => `larger images to fit into ${sizeInWords(size)}`,
  size(rule, source) {
    const width = Math.min(source.width, rule.width);
    const height = Math.min(source.height, rule.height);
    if (source.height > source.width && (width !== source.width || height !== source.height)) {
      return { width: Math.trunc((source.width * height) / source.height), height };
    }
    if (source.width > source.height && (width !== source.width || height !== source.height)) {
      return { width, height: Math.trunc((source.height * width) / source.width) };
    }
    return { width, height };
  },
};
