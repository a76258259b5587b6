import type { DatatypeName } from '../../../datatypes.ts';
import { type Canvas, canvasOf } from '../arrangements/canvas.ts';
import { type ValuesSize, valuesSize } from '../arrangements/resized-values.ts';
import type { Size } from '../shortest-edge.ts';
import type { ExtraKind } from './extra.ts';

/** 1 for the pixels of each picture and 0 for the padding to its right and below: [pictures, height, width]. */
export interface PixelMaskExtra {
  readonly kind: 'pixelMask';
  readonly datatype: Extract<DatatypeName, 'BOOL' | 'INT32' | 'INT64'>;
  /** Axes of length 1 before those of the pictures. Unset: none. */
  readonly leadingAxes?: number | undefined;
  /** The canvas of the tensor of pixels. Unset: the pictures have one size. */
  readonly canvas?: Canvas | undefined;
  /** The size that the arrangement resizes the values of each picture to. Unset: it does not. */
  readonly resizedTo?: ValuesSize | undefined;
}

export const pixelMask: ExtraKind<PixelMaskExtra> = {
  inWords: () => '1 for the pixels of each picture, 0 for the padding around it',
  datatype: ({ datatype }) => datatype,
  batchRule: () => 'pad',
  shape({ leadingAxes = 0, canvas, resizedTo }, { pictures }) {
    const { width, height } = canvasOf(canvas, resizedPictures(pictures, resizedTo));
    return [...new Array(leadingAxes).fill(1), pictures.length, height, width];
  },
  *values({ canvas, resizedTo }, { pictures, contents }) {
    const { width, height } = canvasOf(canvas, resizedPictures(pictures, resizedTo));
    for (const content of resizedPictures(contents, resizedTo)) {
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) yield Number(y < content.height && x < content.width);
      }
    }
  },
};

function resizedPictures(pictures: readonly Size[], size: ValuesSize | undefined): readonly Size[] {
  return size === undefined ? pictures : pictures.map((picture) => valuesSize(size, picture));
}
