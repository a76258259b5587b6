import type { ExtraKind } from './extra.ts';

/** 1: one image, of however many pictures: [1]. */
export interface ImageCountExtra {
  readonly kind: 'imageCount';
}

export const imageCount: ExtraKind<ImageCountExtra> = {
  datatype: () => 'INT64',
  inWords: () => '1 for each image',
  batchRule: () => 'concatenate',
  shape: () => [1],
  values: () => [1],
};
