import { paddingBefore } from '../pad-to.ts';
import type { Size } from '../shortest-edge.ts';
import { letterbox, letterboxRatio } from '../size-rules/letterbox.ts';
import type { ExtraKind } from './extra.ts';

/**
 * The ratio by which LetterBox of Ultralytics resizes an image, and the columns and rows of padding before it: [1, 3].
 * The point (x, y) of the picture is the point ((x − left) / ratio, (y − top) / ratio) of the source.
 */
export interface RatioPadExtra {
  readonly kind: 'ratioPad';
  /** The size that the image is fitted into, in pixels. */
  readonly box: Size;
}

export const ratioPad: ExtraKind<RatioPadExtra> = {
  inWords: () => 'the ratio of the resize, the columns of padding on the left and the rows above',
  datatype: () => 'FP32',
  batchRule: () => 'concatenate',
  shape: () => [1, 3],
  values({ box }, { source, picture }) {
    const inner = letterbox.size({ kind: 'letterbox', box }, source);
    return [
      letterboxRatio(box, source),
      paddingBefore(picture.width, inner.width),
      paddingBefore(picture.height, inner.height),
    ];
  },
};
