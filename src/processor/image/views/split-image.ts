import type { ResizeFit } from '../resize.ts';
import type { Size } from '../shortest-edge.ts';
import { kernelInWords, sizeInWords } from '../words.ts';
import { type Branch, type Resampling, resizeTo, squareOf, type ViewsKind } from './view.ts';

/**
 * The tiles of an image that is resized twice, to a longest edge and then to multiples of a tile, and the whole of it:
 * Idefics3ImageProcessor of transformers (image_processing_idefics3.py).
 */
export interface SplitImageViews extends Resampling {
  readonly kind: 'splitImage';
  /** The first resize. Unset: there is none. */
  readonly size: Extract<ResizeFit, { readonly fit: 'fill' }> | { readonly longestEdge: number } | undefined;
  /** Side of a tile, in pixels. */
  readonly tile: number;
  /** Whether to cut tiles. Otherwise the whole image becomes one. */
  readonly isSplit: boolean;
}

/** No side gets longer, in pixels: MAX_IMAGE_SIZE. */
const longestSide = 4096;

export const splitImage: ViewsKind<SplitImageViews> = {
  inWords({ size, tile, isSplit, ...kernel }) {
    const first =
      size === undefined
        ? ''
        : `resize ${'fit' in size ? `to ${sizeInWords(size)}` : `the longer side to ${size.longestEdge}`}, then `;
    const tiles = isSplit ? `tiles of ${tile} × ${tile} of the image at multiples of them, then ` : '';
    return `${first}make pictures: ${tiles}the whole image at ${tile} × ${tile} (${kernelInWords(kernel)})`;
  },
  branches(views, source) {
    const { size, tile, isSplit } = views;
    const first =
      size === undefined ? source : 'fit' in size ? size : longestEdgeSize(source, size.longestEdge);
    const before = size === undefined ? [] : [resizeTo(first, views)];
    const whole = resizeTo(squareOf(tile), views);
    if (!isSplit) return [{ steps: [...before, whole] }];
    const multiples = sizeInTiles(first, tile);
    const tiles: Branch = { steps: [...before, resizeTo(multiples, views)], tiles: squareOf(tile) };
    const isOneTile = multiples.width <= tile && multiples.height <= tile;
    return isOneTile ? [tiles] : [tiles, { steps: [...tiles.steps, whole] }];
  },
};

/** `get_resize_output_image_size`. */
function longestEdgeSize({ width, height }: Size, longestEdge: number): Size {
  const ratio = width / height;
  const even = (side: number) => Math.max(1, side + (side % 2));
  const scaled =
    width >= height
      ? { width: longestEdge, height: even(Math.trunc(longestEdge / ratio)) }
      : { width: even(Math.trunc(longestEdge * ratio)), height: longestEdge };
  return belowUpperBound(scaled);
}

/** `_resize_output_size_scale_below_upper_bound`. */
function belowUpperBound(size: Size): Size {
  const { width, height } = size;
  const ratio = width / height;
  if (width >= height && width > longestSide) {
    return { width: longestSide, height: Math.max(1, Math.trunc(longestSide / ratio)) };
  }
  if (height > width && height > longestSide) {
    return { width: Math.max(1, Math.trunc(longestSide * ratio)), height: longestSide };
  }
  return size;
}

/** `resize_for_vision_encoder`: multiples of a tile. */
function sizeInTiles({ width, height }: Size, tile: number): Size {
  const ratio = width / height;
  const multiple = (side: number) => Math.ceil(side / tile) * tile;
  if (width >= height) {
    const across = multiple(width);
    return { width: across, height: multiple(Math.trunc(across / ratio)) };
  }
  const down = multiple(height);
  return { width: multiple(Math.trunc(down * ratio)), height: down };
}
