import { Failure } from '../../failures.ts';
import { codecOf } from './codecs.ts';
import type { ImageHeader } from './header.ts';

/** In pixels. The resampler's boxes are FP32, as in Pillow; FP32 has no odd integers beyond 2²⁴. */
const longestSide = 2 ** 24;

/** A source in messages, and the advice for one that is too large. */
const words = {
  picture: { source: 'image', smaller: 'Scale it down first.', shorter: 'Cut it into parts.' },
  document: { source: 'page', smaller: 'Ask for a lower dpi.', shorter: 'Ask for a lower dpi.' },
} as const;

/**
 * Checks an image's size before any pixel is decoded.
 *
 * @param maxPixels - as in `readHeader` of read-header.ts
 * @throws SOURCE_PIXELS_OVER_LIMIT
 */
export function checkSize(
  { format, width, height }: Pick<ImageHeader, 'format' | 'width' | 'height'>,
  maxPixels: number,
): void {
  const { source, smaller, shorter } = words[codecOf(format).isDocument ? 'document' : 'picture'];
  if (width * height > maxPixels) {
    throw new Failure(
      'SOURCE_PIXELS_OVER_LIMIT',
      `The ${source} has ${width} × ${height} = ${width * height} pixels; the limit is ${maxPixels}. ${smaller}`,
      { limit: maxPixels, actual: width * height, width, height },
    );
  }
  if (Math.max(width, height) > longestSide) {
    throw new Failure(
      'SOURCE_PIXELS_OVER_LIMIT',
      `The ${source} has ${width} × ${height} pixels; a side has at most ${longestSide}. ${shorter}`,
      { limit: longestSide, actual: Math.max(width, height), width, height },
    );
  }
}
