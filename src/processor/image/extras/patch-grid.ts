import type { ExtraKind } from './extra.ts';

/** Numbers of patches: frames (1), rows and columns: [1, 3]. `image_grid_thw` of Qwen2VLImageProcessor. */
export interface PatchGridExtra {
  readonly kind: 'patchGrid';
  /** Side of a patch, in pixels. */
  readonly size: number;
}

export const patchGrid: ExtraKind<PatchGridExtra> = {
  inWords: ({ size }) => `1, then the rows and columns of patches of ${size} × ${size} pixels`,
  datatype: () => 'INT64',
  batchRule: () => 'concatenate',
  shape: () => [1, 3],
  values: ({ size }, { picture }) => [1, picture.height / size, picture.width / size],
};
