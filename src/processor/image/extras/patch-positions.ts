import { patchesIn } from '../arrangements/patches.ts';
import type { ExtraKind } from './extra.ts';

/**
 * Column and row of each patch, row by row, and -1 for each row that follows them: [1, count, 2].
 * `image_position_ids` of Gemma4ImageProcessor (image_processing_gemma4.py of transformers).
 */
export interface PatchPositionsExtra {
  readonly kind: 'patchPositions';
  /** Side of a patch, in pixels. */
  readonly size: number;
  readonly count: number;
}

export const patchPositions: ExtraKind<PatchPositionsExtra> = {
  inWords: () => 'column and row of each patch, -1 for each row that follows them',
  datatype: () => 'INT64',
  batchRule: () => 'concatenate',
  shape: ({ size, count }, { picture }) => [1, Math.max(count, patchesIn(picture, size)), 2],
  *values({ size, count }, { picture }) {
    const columns = Math.floor(picture.width / size);
    const patches = patchesIn(picture, size);
    for (let patch = 0; patch < patches; patch++) {
      yield patch % columns;
      yield Math.floor(patch / columns);
    }
    for (let value = 2 * patches; value < 2 * count; value++) yield -1;
  },
};
