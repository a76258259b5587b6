import type { Size } from '../shortest-edge.ts';
import { kernelInWords, sizeInWords } from '../words.ts';
import type { Tile } from './tiles.ts';
import { type Branch, cropTo, type Resampling, resizeTo, type ViewsKind } from './view.ts';

/**
 * The whole image, then parts of a long image along its longer side, each resized to one size: pan and scan of
 * Gemma3ImageProcessor (image_processing_gemma3.py of transformers).
 */
export interface PanAndScanViews extends Resampling {
  readonly kind: 'panAndScan';
  readonly size: Size;
  /** Least side of a part, in pixels of the source. */
  readonly minCropSize: number;
  readonly maxCrops: number;
  /** The ratio of the longer to the shorter side from which on there are parts. */
  readonly minRatio: number;
}

export const panAndScan: ViewsKind<PanAndScanViews> = {
  inWords({ size, minCropSize, maxCrops, minRatio, ...kernel }) {
    return `make pictures of ${sizeInWords(size)}: the whole image, then, if its longer side is at least ${minRatio} times the shorter, up to ${maxCrops} parts along it of at least ${minCropSize} pixels (${kernelInWords(kernel)})`;
  },
  branches(views, source) {
    const resize = resizeTo(views.size, views);
    const parts = partsOf(source, views).map((part): Branch => ({ steps: [cropTo(part), resize] }));
    return [{ steps: [resize] }, ...parts];
  },
};

function partsOf(source: Size, { minCropSize, maxCrops, minRatio }: PanAndScanViews): readonly Tile[] {
  const isWide = source.width >= source.height;
  const long = Math.max(source.width, source.height);
  const short = Math.min(source.width, source.height);
  if (long / short < minRatio) return [];
  const ideal = Math.min(Math.floor(long / minCropSize), Math.floor(long / short + 0.5));
  const count = Math.min(maxCrops, Math.max(2, ideal));
  const length = Math.ceil(long / count);
  if (Math.min(length, short) < minCropSize) return [];
  return Array.from({ length: count }, (_, index): Tile => {
    const start = index * length;
    const side = Math.min(length, long - start);
    return isWide
      ? { left: start, top: 0, width: side, height: short }
      : { left: 0, top: start, width: short, height: side };
  });
}
