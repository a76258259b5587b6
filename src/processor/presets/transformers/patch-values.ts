import { readWholeNumber } from '../config-values.ts';
import type { PresetLibrary } from '../preset.ts';
import type { ConfigValues, OwnPlan } from '../processor-types.ts';

/** Values that image processors of patches have in common. */
export const patchKeys = {
  /** Keys that their `_preprocess` does not read. */
  ignored: ['do_center_crop', 'crop_size', 'do_pad', 'pad_size'],
  /** Limits that real models stay far below. */
  maxSide: 4096,
  maxRepeats: 64,
  maxCount: 1_000_000,
} as const;

/** The side of a patch in pixels, or of a group in patches. */
export function patchSide(config: ConfigValues, key: string): number {
  return readWholeNumber(config, key, 1, patchKeys.maxSide);
}

/** The classes of the Pillow backend convert the patches to FP32 in any case. */
export function patchTensor(library: PresetLibrary): OwnPlan['tensor'] {
  return library === 'pillow' ? { datatype: 'FP32' } : {};
}

/** `patch_expand_factor`, which the classes of the Pillow backend ignore. Types without it give 1. */
export function expansionOf(config: ConfigValues, library: PresetLibrary): number {
  return config.patch_expand_factor === undefined || library === 'pillow'
    ? 1
    : patchSide(config, 'patch_expand_factor');
}
