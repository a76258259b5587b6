import type { ExtraKind } from './extra.ts';

/** Height and width of the source after EXIF orientation, in pixels: [1, 2]. */
export interface ImageSizesExtra {
  readonly kind: 'imageSizes';
}

export const imageSizes: ExtraKind<ImageSizesExtra> = {
  datatype: () => 'INT64',
  batchRule: 'concatenate',
  shape: () => [1, 2],
  values: (_, { source }) => [source.height, source.width],
};
