import type { Size } from '../shortest-edge.ts';
import { sizeInWords } from '../words.ts';

/**
 * The size that each picture has in a tensor: `largest` is the largest width and the largest height; `multipleOf` is
 * the least multiples that are not less; `leastWidth` is that of the pictures, but no narrower.
 */
export type Canvas = Size | 'largest' | { readonly multipleOf: number } | { readonly leastWidth: number };

/** The canvas as a noun phrase. */
export function canvasInWords(canvas: Canvas): string {
  if (canvas === 'largest') return 'the largest width and height';
  if ('width' in canvas) return sizeInWords(canvas);
  return 'leastWidth' in canvas ? `a width of ${canvas.leastWidth}` : `multiples of ${canvas.multipleOf}`;
}

/** @param canvas - unset: the pictures have one size */
export function canvasOf(canvas: Canvas | undefined, pictures: readonly Size[]): Size {
  const [first = { width: 0, height: 0 }] = pictures;
  if (canvas === undefined) return first;
  if (canvas === 'largest') {
    return {
      width: Math.max(...pictures.map(({ width }) => width)),
      height: Math.max(...pictures.map(({ height }) => height)),
    };
  }
  if ('width' in canvas) return canvas;
  if ('leastWidth' in canvas) {
    return { width: Math.max(first.width, canvas.leastWidth), height: first.height };
  }
  const side = (length: number) => Math.ceil(length / canvas.multipleOf) * canvas.multipleOf;
  return { width: side(first.width), height: side(first.height) };
}
