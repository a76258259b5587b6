import { type LeastSize, paddedSize } from '../pad-to.ts';
import type { ExtraKind } from './extra.ts';

/**
 * Height and width of the source, and the ratios of the picture's height and width to those of the padded source:
 * [1, 4]; what DetResizeForTest of PaddleOCR returns beside the image
 * (paddlex/inference/models/text_detection/processors.py).
 */
export interface ResizeRatiosExtra {
  readonly kind: 'resizeRatios';
  /** The padding of a source before it is resized. */
  readonly padding: LeastSize;
}

export const resizeRatios: ExtraKind<ResizeRatiosExtra> = {
  inWords: () => 'height and width of the source, and the ratios of the picture to them',
  datatype: () => 'FP32',
  batchRule: () => 'concatenate',
  shape: () => [1, 4],
  values({ padding }, { source, picture }) {
    const padded = paddedSize(padding, source);
    return [source.height, source.width, picture.height / padded.height, picture.width / padded.width];
  },
};
