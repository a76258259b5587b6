import type { SizeRuleKind } from './size-rule.ts';

/**
 * The image's own size, reduced to at most so many patches in all and for each side: `navit_resize` of transformers
 * (image_processing_kimi_k25.py), before it pads.
 */
export interface PatchLimitRule {
  readonly kind: 'patchLimit';
  /** Side of a patch, in pixels. */
  readonly patch: number;
  readonly maxPatches: number;
  readonly maxPatchesPerSide: number;
}

export const patchLimit: SizeRuleKind<PatchLimitRule> = {
  inWords: ({ patch, maxPatches, maxPatchesPerSide }) =>
    `larger images to at most ${maxPatches} patches of ${patch} × ${patch} pixels, ${maxPatchesPerSide} for each side`,
  size({ patch, maxPatches, maxPatchesPerSide }, { width, height }) {
    const patches = (length: number) => Math.max(1, Math.floor(length / patch));
    const longest = maxPatchesPerSide * patch;
    const scale = Math.min(
      1,
      Math.sqrt(maxPatches / (patches(height) * patches(width))),
      longest / height,
      longest / width,
    );
    const side = (length: number) => Math.min(Math.max(1, Math.trunc(length * scale)), longest);
    return { width: side(width), height: side(height) };
  },
};
