import type { DatatypeName } from '../../../datatypes.ts';
import type { ExtraKind } from './extra.ts';

/**
 * 1 for each picture and 0 for each that only fills the tensor: [1, 1, count], `build_aspect_ratio_mask` of
 * image_processing_mllama.py of transformers. Without a count a batch fills it, and all of an image are 1: [1, pictures],
 * `pixel_attention_mask` of GraniteDoclingImageProcessor.
 */
export interface PictureMaskExtra {
  readonly kind: 'pictureMask';
  /** Length of the pictures' axis. Unset: that of the pictures. */
  readonly count?: number | undefined;
  readonly datatype: Extract<DatatypeName, 'BOOL' | 'INT64'>;
}

export const pictureMask: ExtraKind<PictureMaskExtra> = {
  inWords: ({ count }) =>
    `1 for each picture, then 0 up to ${count ?? 'the most pictures of an image of the batch'}`,
  datatype: ({ datatype }) => datatype,
  batchRule: ({ count }) => (count === undefined ? 'pad' : 'concatenate'),
  shape: ({ count }, { pictures }) => (count === undefined ? [1, pictures.length] : [1, 1, count]),
  values: ({ count }, { pictures }) =>
    Array.from({ length: count ?? pictures.length }, (_, index) => Number(index < pictures.length)),
};
