import type { ExtraKind } from './extra.ts';

/**
 * 1 for each picture and 0 for each that only fills the tensor: [1, 1, count]. `build_aspect_ratio_mask`
 * (image_processing_mllama.py of transformers).
 */
export interface PictureMaskExtra {
  readonly kind: 'pictureMask';
  /** Length of the pictures' axis. */
  readonly count: number;
}

export const pictureMask: ExtraKind<PictureMaskExtra> = {
  inWords: ({ count }) => `1 for each picture, then 0 up to ${count}`,
  datatype: () => 'INT64',
  batchRule: () => 'concatenate',
  shape: ({ count }) => [1, 1, count],
  values: ({ count }, { pictures }) =>
    Array.from({ length: count }, (_, index) => Number(index < pictures.length)),
};
