import type { FilterName } from '../../image/kernels/weights.ts';
import type { ImageHeader } from '../header.ts';

/**
 * Source pixels per output pixel, on each side, from which libvips resizes. For an output that is larger, or hardly smaller,
 * our own resampler is faster.
 */
const leastReduction = 1.5;

/** Pixels of a source from which libvips' resize of a file that it decodes whole costs no more than our own resampler. */
const leastPixels = 2 ** 20;

/** Formats that libvips cannot decode at a smaller size. All that its resize can gain is the memory of the decoded source. */
const wholeFormats: readonly ImageHeader['format'][] = ['png', 'tiff'];

/**
 * Whether libvips resizes a source of fast numerics while it decodes it. Else the source is decoded whole and resampled as
 * for exact numerics, which is faster there. Plan and header decide, never a clock, so that all replicas agree.
 */
export function libvipsResizes(
  header: Pick<ImageHeader, 'format' | 'width' | 'height'>,
  { filter, sourcePerPixel }: { readonly filter: FilterName; readonly sourcePerPixel: number },
): boolean {
  return sourcePerPixel >= leastReduction && !isFasterWhole(header, filter);
}

/**
 * Whether decoding all pixels of a source, and resampling them by ourselves, is faster at every reduction. With nearest it
 * is at every size: libvips takes up to twice as long.
 */
export function isFasterWhole(
  { format, width, height }: Pick<ImageHeader, 'format' | 'width' | 'height'>,
  filter: FilterName,
): boolean {
  return wholeFormats.includes(format) && (filter === 'nearest' || width * height < leastPixels);
}
