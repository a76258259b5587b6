import type { ResizeFit } from '../resize.ts';
import type { Size } from '../shortest-edge.ts';
import { kernelInWords, sizeInWords } from '../words.ts';
import type { Tile } from './tiles.ts';
import { type Branch, cropTo, type Resampling, resizeTo, type ViewsKind } from './view.ts';

/**
 * The four quarters of an image and the whole of it, each resized within two bounds: Idefics2ImageProcessor of
 * transformers (image_processing_idefics2.py).
 */
export interface QuartersViews extends Resampling {
  readonly kind: 'quarters';
  /** Unset: the sizes stay. */
  readonly size:
    | Extract<ResizeFit, { readonly fit: 'fill' }>
    | { readonly shortestEdge: number; readonly longestEdge: number }
    | undefined;
  /** Whether there are quarters. Otherwise there is only the whole image. */
  readonly isSplit: boolean;
}

export const quarters: ViewsKind<QuartersViews> = {
  inWords({ size, isSplit, ...kernel }) {
    const pictures = isSplit ? "the image's four quarters, then the whole image" : 'the whole image';
    if (size === undefined) return `make pictures: ${pictures}`;
    const bounds =
      'fit' in size
        ? sizeInWords(size)
        : `a longer side of at most ${size.longestEdge} and sides of at least ${size.shortestEdge}`;
    return `make pictures: ${pictures}, each resized to ${bounds} (${kernelInWords(kernel)})`;
  },
  branches(views, source) {
    const parts = views.isSplit ? quartersOf(source) : [];
    return [
      ...parts.map((part): Branch => ({ steps: [cropTo(part), ...resizeSteps(part, views)] })),
      { steps: resizeSteps(source, views) },
    ];
  },
};

function quartersOf({ width, height }: Size): readonly Tile[] {
  const middle = { x: Math.floor(width / 2), y: Math.floor(height / 2) };
  const across = [
    { left: 0, width: middle.x },
    { left: middle.x, width: width - middle.x },
  ];
  const down = [
    { top: 0, height: middle.y },
    { top: middle.y, height: height - middle.y },
  ];
  return down.flatMap((row) => across.map((column) => ({ ...column, ...row })));
}

function resizeSteps(source: Size, views: QuartersViews): Branch['steps'] {
  const { size } = views;
  if (size === undefined) return [];
  return [resizeTo('fit' in size ? size : boundedSize(source, size), views)];
}

/** `get_resize_output_image_size`. */
function boundedSize(
  { width, height }: Size,
  { shortestEdge, longestEdge }: { readonly shortestEdge: number; readonly longestEdge: number },
): Size {
  const ratio = width / height;
  let size = { width, height };
  if (width >= height && width > longestEdge) {
    size = { width: longestEdge, height: Math.trunc(longestEdge / ratio) };
  } else if (height > width && height > longestEdge) {
    size = { width: Math.trunc(longestEdge * ratio), height: longestEdge };
  }
  return { width: Math.max(size.width, shortestEdge), height: Math.max(size.height, shortestEdge) };
}
