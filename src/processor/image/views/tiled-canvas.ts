import type { Size } from '../shortest-edge.ts';
import { kernelInWords } from '../words.ts';
import { type Grid, gridsByRatio, gridsWithin } from './grids.ts';
import { type Resampling, resizeTo, squareOf, type ViewsKind } from './view.ts';

/**
 * The tiles of an image at the top left of a black canvas, resized in proportion.
 *
 * - `Llama4`: Llama4ImageProcessor of transformers. The whole image follows if there are several tiles.
 * - `Mllama`: MllamaImageProcessor of transformers.
 */
export interface TiledCanvasViews extends Resampling {
  readonly kind: 'tiledCanvas';
  readonly model: 'Llama4' | 'Mllama';
  /** Side of a tile, in pixels. */
  readonly tile: number;
  readonly maxTiles: number;
  /** Whether to enlarge the image as much as the canvases allow. */
  readonly toLargest: boolean;
}

export const tiledCanvas: ViewsKind<TiledCanvasViews> = {
  inWords({ model, tile, maxTiles, ...kernel }) {
    const whole = model === 'Mllama' ? '' : ', then the whole image if there are several';
    return `make pictures of ${tile} × ${tile}: at most ${maxTiles} tiles of the image at the top left of the canvas that ${model}'s rule chooses, black around it${whole} (${kernelInWords(kernel)})`;
  },
  branches(views, source) {
    const { tile, model } = views;
    const canvas = canvasFor(source, views);
    const inner = resizeTo(innerSize(source, canvas, views), views);
    const tiles = {
      steps: [inner, { kind: 'pad', ...canvas, left: 0, top: 0, colour: undefined } as const],
      tiles: squareOf(tile),
    };
    const isOneTile = canvas.width === tile && canvas.height === tile;
    return model === 'Mllama' || isOneTile ? [tiles] : [tiles, { steps: [resizeTo(squareOf(tile), views)] }];
  },
};

/**
 * The canvas that enlarges the image least, else the one that reduces it least; of several the smallest:
 * `get_best_fit` of Llama4ImageProcessor, which divides in FP32, and `get_optimal_tiled_canvas` of
 * MllamaImageProcessor.
 */
function canvasFor(source: Size, { model, tile, maxTiles, toLargest }: TiledCanvasViews): Size {
  const round = model === 'Llama4' ? Math.fround : (value: number) => value;
  const candidates = canvasGrids(model, maxTiles).map(({ columns, rows }) => {
    const canvas = { width: columns * tile, height: rows * tile };
    const [across, down] = [round(canvas.width / source.width), round(canvas.height / source.height)];
    return { canvas, scale: Math.min(across, down) };
  });
  const scales = candidates.map(({ scale }) => scale);
  const enlarging = scales.filter((scale) => scale >= 1);
  const selected =
    enlarging.length === 0
      ? Math.max(...scales)
      : toLargest
        ? Math.max(...enlarging)
        : Math.min(...enlarging);
  const area = ({ width, height }: Size) => width * height;
  return candidates
    .filter(({ scale }) => scale === selected)
    .map(({ canvas }) => canvas)
    .reduce((best, each) => (area(each) < area(best) ? each : best));
}

/** Both libraries list grids by rows first. */
function canvasGrids(model: TiledCanvasViews['model'], maxTiles: number): readonly Grid[] {
  const grids = model === 'Llama4' ? [...gridsByRatio(maxTiles).values()].flat() : gridsWithin(1, maxTiles);
  return grids.map(({ columns, rows }) => ({ columns: rows, rows: columns }));
}

/**
 * `get_image_size_fit_to_canvas` of Mllama, and `get_max_res_without_distortion` of Llama 4. There, a canvas's side is a
 * tensor, and what is computed with a tensor is rounded to FP32. The limits of a side are numbers.
 */
function innerSize(source: Size, canvas: Size, { model, tile, toLargest }: TiledCanvasViews): Size {
  const targetOf = (side: number, most: number) => {
    const least = Math.max(side, tile);
    const isTensor = model === 'Llama4' && (toLargest || most < least);
    return { length: toLargest ? most : Math.min(least, most), round: isTensor ? Math.fround : exactly };
  };
  const [across, down] = [targetOf(source.width, canvas.width), targetOf(source.height, canvas.height)];
  const [scaleAcross, scaleDown] = [scaleOf(across, source.width), scaleOf(down, source.height)];
  // torch rounds a number to FP32 before it compares it with a tensor.
  const compared = across.round === exactly && down.round === exactly ? exactly : Math.fround;
  const scaled = (side: number, scale: number, round: Round, most: number) =>
    Math.max(1, Math.min(Math.floor(round(side * scale)), most));
  return compared(scaleAcross) < compared(scaleDown)
    ? { width: across.length, height: scaled(source.height, scaleAcross, across.round, down.length) }
    : { width: scaled(source.width, scaleDown, down.round, across.length), height: down.length };
}

type Round = (value: number) => number;

function exactly(value: number): number {
  return value;
}

function scaleOf(
  { length, round }: { readonly length: number; readonly round: Round },
  side: number,
): number {
  return round(length / side);
}
