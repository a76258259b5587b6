import type { Size } from '../shortest-edge.ts';
import { sizeInWords } from '../words.ts';

/**
 * The size that each picture has in a tensor: `largest` is the largest width and the largest height; `multipleOf` is
 * the least multiples that are not less.
 */
export type Canvas = Size | 'largest' | { readonly multipleOf: number };

/** The canvas as a noun phrase. */
export function canvasInWords(canvas: Canvas): string {
  if (canvas === 'largest') return 'the largest width and height';
  return 'width' in canvas ? sizeInWords(canvas) : `multiples of ${canvas.multipleOf}`;
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
  const side = (length: number) => Math.ceil(length / canvas.multipleOf) * canvas.multipleOf;
  return { width: side(first.width), height: side(first.height) };
}
