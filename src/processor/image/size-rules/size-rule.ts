import type { Size } from '../shortest-edge.ts';

/** A kind of size rule: one file in this folder and one row in size-rules.ts. */
export interface SizeRuleKind<R> {
  /** The size, as words that follow "resize". */
  inWords(rule: R): string;
  /**
   * The size that an image is resized to, in pixels.
   *
   * @param source - its size before the resize, after EXIF orientation
   */
  size(rule: R, source: Size): Size;
  /** @throws Failure ASPECT_RATIO_OVER_LIMIT, IMAGE_TOO_SMALL if the library refuses an image of this size */
  check?(rule: R, source: Size): void;
}
