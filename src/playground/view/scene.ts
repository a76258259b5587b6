import type { Bitmap } from './bitmap.ts';
import type { Placement } from './placement.ts';

/** One of the images on the stage. */
export interface Side {
  readonly label: string;
  readonly bitmap: Bitmap;
  /** Its position in pixels of the result. */
  readonly placement: Placement;
  /** Whether it is the largest where the sides are one above the other; otherwise that is the last one. */
  readonly isLargest?: true;
  /** Describes a pixel in other words than its colour. */
  readonly describe?: (x: number, y: number) => string;
}

/** The content of the stage. Width and height are the result's, in pixels. */
export interface Scene {
  readonly width: number;
  readonly height: number;
  readonly mode: 'slider' | 'sides';
  /** From left to right. Two for the slider. */
  readonly sides: readonly Side[];
}

/** The values of a side at a point of the result. */
export function describeAt({ bitmap, placement, describe }: Side, x: number, y: number): string {
  const column = Math.floor(((x - placement.x) / placement.width) * bitmap.width);
  const row = Math.floor(((y - placement.y) / placement.height) * bitmap.height);
  if (column < 0 || row < 0 || column >= bitmap.width || row >= bitmap.height) return 'outside';
  if (describe !== undefined) return describe(column, row);
  const at = 4 * (row * bitmap.width + column);
  const [red = 0, green = 0, blue = 0, alpha = 255] = bitmap.pixels.subarray(at, at + 4);
  const colour = red === green && green === blue ? `${red}` : `${red} ${green} ${blue}`;
  return alpha === 255 ? colour : `${colour} alpha ${alpha}`;
}
