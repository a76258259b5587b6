import { type ValuesSize, valuesSize } from '../arrangements/resized-values.ts';
import type { ExtraKind } from './extra.ts';

/** Height and width that detection resizes the image to, before it is padded: [1, 2]. ImageList.image_sizes of torchvision. */
export interface DetectionSizesExtra {
  readonly kind: 'detectionSizes';
  readonly size: ValuesSize;
}

export const detectionSizes: ExtraKind<DetectionSizesExtra> = {
  inWords: () => 'height and width of the resized image without its zeros, in pixels',
  datatype: () => 'INT64',
  batchRule: () => 'concatenate',
  shape: () => [1, 2],
  values({ size }, { source }) {
    const { width, height } = valuesSize(size, source);
    return [height, width];
  },
};
