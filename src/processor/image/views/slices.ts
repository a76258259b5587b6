import { naturalLog } from '../natural-log.ts';
import { roundHalfToEven, type Size } from '../shortest-edge.ts';
import { kernelInWords } from '../words.ts';
import type { Grid } from './grids.ts';
import { type Branch, type Resampling, resizeTo, type ViewsKind } from './view.ts';

/**
 * The whole image, then the slices of a large one: MiniCPMV4_6ImageProcessor and MiniCPMOcrImageProcessor of transformers
 * (image_processing_minicpmv4_6.py). Arithmetic is that of Python's floats, which are doubles.
 */
export interface SlicesViews extends Resampling {
  readonly kind: 'slices';
  /** Side of the square that has as many pixels as the whole image, and as a slice. */
  readonly scale: number;
  /** The most slices. 0: there are none. */
  readonly maxSlices: number;
  /** All sides are multiples of it, in pixels. */
  readonly multiple: number;
  /** Whether an image that is not sliced is enlarged to `scale`. */
  readonly enlarges: boolean;
}

export const slices: ViewsKind<SlicesViews> = {
  inWords({ scale, maxSlices, multiple, enlarges, ...kernel }) {
    const pixels = `about ${scale} × ${scale} pixels`;
    const most = enlarges ? pixels : `at most ${pixels}`;
    const cut =
      maxSlices === 0
        ? ''
        : `, then, if it is larger, up to ${maxSlices} slices of ${pixels}, in the grid whose ratio is closest`;
    return `make pictures with sides that are multiples of ${multiple}: the whole image of ${most}${cut} (${kernelInWords(kernel)})`;
  },
  branches(views, source) {
    const grid = gridOf(source, views);
    const whole = bestSize(source, views, grid === undefined && views.enlarges);
    const branch: Branch = { steps: [resizeTo(whole, views)] };
    if (grid === undefined) return [branch];
    const slice = sliceSize(source, grid, views);
    const canvas = { width: slice.width * grid.columns, height: slice.height * grid.rows };
    return [branch, { steps: [resizeTo(canvas, views)], tiles: slice }];
  },
};

/** `get_sliced_grid`. Undefined: the image is not sliced. */
function gridOf({ width, height }: Size, { scale, maxSlices }: SlicesViews): Grid | undefined {
  const count = Math.min(Math.ceil((width * height) / (scale * scale)), maxSlices);
  if (count <= 1) return undefined;
  const ratio = naturalLog(width / height);
  let best: Grid = { columns: 1, rows: 1 };
  let least = Number.POSITIVE_INFINITY;
  for (const slicesOfGrid of [count - 1, count, count + 1]) {
    if (slicesOfGrid === 1 || slicesOfGrid > maxSlices) continue;
    for (let rows = 1; rows <= slicesOfGrid; rows++) {
      if (slicesOfGrid % rows !== 0) continue;
      const columns = slicesOfGrid / rows;
      const error = Math.abs(ratio - naturalLog(columns / rows));
      if (error < least || (error === least && rows > best.rows)) {
        best = { columns, rows };
        least = error;
      }
    }
  }
  return best;
}

/** `find_best_resize` */
function bestSize(size: Size, { scale, multiple }: SlicesViews, enlarges: boolean): Size {
  let { width, height } = size;
  if (height * width > scale * scale || enlarges) {
    const ratio = width / height;
    height = Math.trunc(scale / Math.sqrt(ratio));
    width = Math.trunc(height * ratio);
  }
  return { width: toMultiple(width, multiple), height: toMultiple(height, multiple) };
}

/** `get_refine_size`, of one slice. */
function sliceSize({ width, height }: Size, { columns, rows }: Grid, views: SlicesViews): Size {
  const slice = { width: toMultiple(width, columns) / columns, height: toMultiple(height, rows) / rows };
  return bestSize(slice, views, true);
}

/** `ensure_divide` */
function toMultiple(length: number, divisor: number): number {
  return Math.max(roundHalfToEven(length / divisor) * divisor, divisor);
}
