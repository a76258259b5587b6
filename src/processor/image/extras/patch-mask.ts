import { patchesIn } from '../arrangements/patches.ts';
import type { ExtraKind } from './extra.ts';

/** 1 for each patch of a picture and 0 for each row that follows them: [pictures, count]. */
export interface PatchMaskExtra {
  readonly kind: 'patchMask';
  /** Side of a patch, in pixels. */
  readonly size: number;
  readonly count: number;
}

export const patchMask: ExtraKind<PatchMaskExtra> = {
  inWords: () => '1 for each patch, 0 for each row that follows them',
  datatype: () => 'INT32',
  batchRule: () => 'concatenate',
  shape: ({ count }, { pictures }) => [pictures.length, count],
  values: ({ size, count }, { pictures }) =>
    pictures.flatMap((picture) => {
      const patches = patchesIn(picture, size);
      return Array.from({ length: count }, (_, row) => Number(row < patches));
    }),
};
