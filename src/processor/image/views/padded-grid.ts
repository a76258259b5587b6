import { Failure } from '../../../failures.ts';
import type { Library } from '../kernels/kernels.ts';
import type { Size } from '../shortest-edge.ts';
import { sizeInWords } from '../words.ts';
import { closestRatio, type Grid } from './grids.ts';
import { resizeTo, squareOf, type ViewsKind } from './view.ts';

/**
 * An image at the top left of a white grid of tiles, resized in proportion: Phi4MultimodalImageProcessor of transformers
 * (image_processing_phi4_multimodal.py, `dynamic_preprocess`). It resizes by antialiased bilinear whatever the config
 * says, since torchvision does so by default.
 */
export interface PaddedGridViews {
  readonly kind: 'paddedGrid';
  /** Side of a tile, in pixels. */
  readonly tile: number;
  readonly maxTiles: number;
  readonly library: Library;
}

/** The least side of the resized image, in pixels. */
const leastSide = 10;

export const paddedGrid: ViewsKind<PaddedGridViews> = {
  inWords: ({ tile, maxTiles }) =>
    `resize in proportion into a white grid of at most ${maxTiles} tiles of ${sizeInWords(squareOf(tile))} (bilinear, torch)`,
  branches({ tile, maxTiles, library }, source) {
    const { columns, rows } = gridFor(source, tile, maxTiles);
    const canvas = { width: columns * tile, height: rows * tile };
    const inner = innerSize(source, canvas);
    const resize = resizeTo(inner, { filter: 'bilinear', library });
    return [{ steps: [resize, { kind: 'pad', ...canvas, left: 0, top: 0, colour: [255, 255, 255] }] }];
  },
};

/** As many tiles as the image's own pixels need, else the grid whose ratio is closest. */
function gridFor(source: Size, tile: number, maxTiles: number): Grid {
  const columns = Math.ceil(source.width / tile);
  const rows = Math.ceil(source.height / tile);
  return columns * rows > maxTiles ? closestRatio(source, squareOf(tile), 1, maxTiles) : { columns, rows };
}

function innerSize(source: Size, canvas: Size): Size {
  const across = canvas.width / source.width;
  const down = canvas.height / source.height;
  const size =
    across < down
      ? { width: canvas.width, height: Math.trunc(source.height * across) }
      : { width: Math.trunc(source.width * down), height: canvas.height };
  const actual = Math.min(size.width, size.height);
  if (actual >= leastSide) return size;
  throw new Failure(
    'ASPECT_RATIO_OVER_LIMIT',
    `The image of ${sizeInWords(source)} pixels becomes ${sizeInWords(size)}; the model needs at least ${leastSide} pixels on each side. Send an image that is less thin.`,
    { limit: leastSide, actual },
  );
}
