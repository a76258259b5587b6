import type { DatatypeName } from '../../../datatypes.ts';
import type { ExtraKind } from './extra.ts';

/** Numbers of patches of each picture: frames (1), rows and columns: [pictures, 3]. `image_grid_thw` of Qwen2VLImageProcessor. */
export interface PatchGridExtra {
  readonly kind: 'patchGrid';
  /** Side of a patch, in pixels. */
  readonly size: number;
  /** Whether it has no frames: [pictures, 2]. `spatial_shapes` of Siglip2ImageProcessor. */
  readonly isPlanar?: boolean | undefined;
  /** Unset: `INT64`. */
  readonly datatype?: Extract<DatatypeName, 'INT32' | 'INT64'> | undefined;
}

export const patchGrid: ExtraKind<PatchGridExtra> = {
  inWords: ({ size, isPlanar }) =>
    `${isPlanar ? 'the' : '1, then the'} rows and columns of patches of ${size} × ${size} pixels`,
  datatype: ({ datatype = 'INT64' }) => datatype,
  batchRule: () => 'concatenate',
  shape: ({ isPlanar }, { pictures }) => [pictures.length, isPlanar ? 2 : 3],
  values: ({ size, isPlanar }, { pictures }) =>
    pictures.flatMap(({ width, height }) => [
      ...(isPlanar ? [] : [1]),
      Math.floor(height / size),
      Math.floor(width / size),
    ]),
};
