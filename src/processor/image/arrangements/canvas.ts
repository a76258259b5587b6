import type { Size } from '../shortest-edge.ts';

/**
 * The size that each picture has in a tensor.
 *
 * @param canvas - `largest`: the largest width and the largest height. Unset: the pictures have one size
 */
export function canvasOf(canvas: Size | 'largest' | undefined, pictures: readonly Size[]): Size {
  if (canvas === 'largest') {
    return {
      width: Math.max(...pictures.map(({ width }) => width)),
      height: Math.max(...pictures.map(({ height }) => height)),
    };
  }
  return canvas ?? (pictures[0] as Size);
}
