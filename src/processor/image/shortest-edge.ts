/**
 * Sizes that keep an image's proportions, rounded as torchvision's and transformers' Python rounds them.
 * Each function takes the size of the source and returns the size to resize it to, in pixels.
 */

/** Width and height in pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/**
 * The shorter side becomes `shortestEdge`; the longer one is in proportion, rounded down: torchvision's
 * `Resize(shortestEdge)`, and `size = {"shortest_edge": …}` in transformers.
 */
export function shortestEdgeSize({ width, height }: Size, shortestEdge: number): Size {
  return width <= height
    ? { width: shortestEdge, height: Math.trunc((shortestEdge * height) / width) }
    : { width: Math.trunc((shortestEdge * width) / height), height: shortestEdge };
}

/**
 * {@link shortestEdgeSize}, but the longer side becomes at most about `longestEdge`:
 * get_size_with_aspect_ratio in transformers, `size = {"shortest_edge": …, "longest_edge": …}`. A very thin
 * image may get a side of 0.
 */
export function shortestAndLongestEdgeSize(size: Size, shortestEdge: number, longestEdge: number): Size {
  const { width, height } = size;
  const shorter = Math.min(width, height);
  const longer = Math.max(width, height);
  const isTooLong = (longer / shorter) * shortestEdge > longestEdge;
  const exact = isTooLong ? (longestEdge * shorter) / longer : shortestEdge;
  const edge = isTooLong ? roundHalfToEven(exact) : shortestEdge;
  if (shorter === edge) return size;
  return width < height
    ? { width: edge, height: Math.trunc((exact * height) / width) }
    : { width: Math.trunc((exact * width) / height), height: edge };
}

/**
 * The largest size that fits into `maxWidth` × `maxHeight`; smaller images are enlarged:
 * get_image_size_for_max_height_width in transformers, `size = {"max_height": …, "max_width": …}`. A very thin image
 * may get a side of 0.
 */
export function withinSize({ width, height }: Size, maxWidth: number, maxHeight: number): Size {
  const scale = Math.min(maxHeight / height, maxWidth / width);
  return { width: Math.trunc(width * scale), height: Math.trunc(height * scale) };
}

/** The size by the keys of `size` in transformers: fixed, by edges, or within a size. */
export function sizeByEdges(source: Size, edges: Edges): Size {
  if ('width' in edges) return { width: edges.width, height: edges.height };
  if ('maxWidth' in edges) return withinSize(source, edges.maxWidth, edges.maxHeight);
  const { shortestEdge, longestEdge } = edges;
  return longestEdge === undefined
    ? shortestEdgeSize(source, shortestEdge)
    : shortestAndLongestEdgeSize(source, shortestEdge, longestEdge);
}

/** The keys of `size` in transformers. */
export type Edges =
  | Size
  | { readonly shortestEdge: number; readonly longestEdge?: number | undefined }
  | { readonly maxWidth: number; readonly maxHeight: number };

/** Python's round(), for numbers of at least 0. */
export function roundHalfToEven(value: number): number {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}
