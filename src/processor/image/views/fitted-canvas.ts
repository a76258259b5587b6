import type { Size } from '../shortest-edge.ts';
import { type Resampling, resizeTo, type ViewsKind } from './view.ts';

/**
 * One picture: the image in proportion at the top left of a black canvas, whose sides are multiples of `factor` and whose
 * pixels are within a budget. `smart_resize` and `resize` of transformers (image_processing_glm5_next.py).
 */
export interface FittedCanvasViews extends Resampling {
  readonly kind: 'fittedCanvas';
  /** In pixels. */
  readonly factor: number;
  /** Limits of factor × factor pixels in the canvas. */
  readonly minTokens: number;
  readonly maxTokens: number;
}

export const fittedCanvas: ViewsKind<FittedCanvasViews> = {
  inWords: ({ factor, minTokens, maxTokens }) =>
    `resize in proportion and pad to multiples of ${factor} with black, the image at the top left, ${minTokens} to ${maxTokens} times ${factor} × ${factor} pixels`,
  isOnePicture: true,
  branches(views, source) {
    const canvas = canvasOf(views, source);
    const content = contentOf(views, source, canvas);
    const isSame = content.width === source.width && content.height === source.height;
    const resize = isSame ? [] : [resizeTo(content, views)];
    return [{ steps: [...resize, { kind: 'pad', ...canvas, left: 0, top: 0, colour: undefined }] }];
  },
};

function canvasOf({ factor, minTokens, maxTokens }: FittedCanvasViews, { width, height }: Size): Size {
  const up = (length: number) => Math.ceil(length / factor) * factor;
  const tokensIn = (size: Size) => (size.width / factor) * (size.height / factor);
  let canvas = { width: up(width), height: up(height) };
  if (tokensIn(canvas) < minTokens) {
    const scale = Math.sqrt((minTokens * factor * factor) / (height * width));
    const side = (length: number) => up(Math.max(1, Math.ceil(length * scale)));
    canvas = { width: side(width), height: side(height) };
  }
  if (tokensIn(canvas) <= maxTokens) return canvas;
  let [low, high] = [1, height];
  let best = { width: factor, height: factor };
  while (low <= high) {
    const rows = Math.floor((low + high) / 2);
    const columns = Math.max(1, Math.floor((width * rows) / height));
    const candidate = { width: up(columns), height: up(rows) };
    if (tokensIn(candidate) <= maxTokens) {
      best = candidate;
      low = rows + 1;
    } else high = rows - 1;
  }
  return best;
}

function contentOf({ factor, minTokens }: FittedCanvasViews, { width, height }: Size, canvas: Size): Size {
  const fitting = Math.min(canvas.height / height, canvas.width / width);
  const scale = height * width >= factor * factor * minTokens ? Math.min(1, fitting) : fitting;
  return {
    width: Math.max(1, Math.min(canvas.width, Math.floor(width * scale))),
    height: Math.max(1, Math.min(canvas.height, Math.floor(height * scale))),
  };
}
