import type { Size } from '../shortest-edge.ts';
import type { SizeRuleKind } from './size-rule.ts';

/**
 * The largest size in whole patches, of which there are at most so many, with about the image's proportions:
 * `get_image_size_for_max_num_patches` of transformers (image_processing_siglip2.py).
 */
export interface MostPatchesRule {
  readonly kind: 'mostPatches';
  /** Side of a patch, in pixels. */
  readonly patch: number;
  readonly maxPatches: number;
}

const precision = 1e-5;

export const mostPatches: SizeRuleKind<MostPatchesRule> = {
  inWords: ({ patch, maxPatches }) =>
    `to the most whole patches of ${patch} × ${patch} pixels, at most ${maxPatches}, with about its own proportions`,
  size({ patch, maxPatches }, source) {
    const sizeOf = (scale: number): Size => {
      const side = (length: number) => Math.max(patch, Math.ceil((length * scale) / patch) * patch);
      return { width: side(source.width), height: side(source.height) };
    };
    let [min, max] = [precision / 10, 100];
    while (max - min >= precision) {
      const scale = (min + max) / 2;
      const { width, height } = sizeOf(scale);
      if ((height / patch) * (width / patch) <= maxPatches) min = scale;
      else max = scale;
    }
    return sizeOf(min);
  },
};
