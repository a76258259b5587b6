import type { DatatypeName } from '../../../datatypes.ts';
import type { ExtraKind } from './extra.ts';

/** Height and width in pixels: [1, 2]. */
export interface ImageSizesExtra {
  readonly kind: 'imageSizes';
  /** `picture`: the picture before it is cut. Unset: the source after EXIF orientation. */
  readonly of?: 'picture' | undefined;
  /** Unset: `INT64`. */
  readonly datatype?: Extract<DatatypeName, 'FP32' | 'INT64'> | undefined;
}

export const imageSizes: ExtraKind<ImageSizesExtra> = {
  inWords: ({ of }) =>
    `height and width of the ${of === 'picture' ? 'picture before it is cut or padded' : 'source'}, in pixels`,
  datatype: ({ datatype = 'INT64' }) => datatype,
  batchRule: () => 'concatenate',
  shape: () => [1, 2],
  values({ of }, { source, picture }) {
    const { width, height } = of === 'picture' ? picture : source;
    return [height, width];
  },
};
