import type { CropStep } from '../crop.ts';
import type { Library } from '../kernels/kernels.ts';
import type { FilterName } from '../kernels/weights.ts';
import type { Colour } from '../pixels.ts';
import type { ResizeStep } from '../resize.ts';
import type { Size } from '../shortest-edge.ts';
import type { Step } from '../steps.ts';
import type { Tile } from './tiles.ts';

/** The way from the source to one or more pictures. */
export interface Branch {
  /** From the source on. */
  readonly steps: readonly Step[];
  /** Size of the tiles that the result is cut into, row by row. Unset: it is one picture. */
  readonly tiles?: Size | undefined;
}

/** How views resample. */
export interface Resampling {
  readonly filter: FilterName;
  /** The library that resamples. Unset: Pillow. */
  readonly library?: Library | undefined;
}

/** A kind of views: one file in this folder and one row in views.ts. */
export interface ViewsKind<V> {
  /** The pictures, as a clause that begins with a verb. */
  inWords(views: V): string;
  /**
   * The branches for an image, in the order of their pictures in the tensor.
   *
   * @param source - its size after EXIF orientation, in pixels
   */
  branches(views: V, source: Size): readonly Branch[];
  /** Whether every image becomes one picture, which is not cut into tiles. */
  readonly isOnePicture?: true;
}

/** A resize to exactly this size. */
export function resizeTo({ width, height }: Size, { filter, library }: Resampling): ResizeStep {
  return { kind: 'resize', fit: 'fill', width, height, filter, ...(library && { library }) };
}

/**
 * A resize to a length of the longer side, then padding to a square.
 *
 * @param side - in pixels
 * @param colour - of the padding. Unset: there is none
 * @param shortestSide - least length of the other side. Unset: any
 */
export function fitLongerSide(
  side: number,
  { filter, library }: Resampling,
  colour: Colour | undefined,
  shortestSide?: number,
): readonly Step[] {
  const rule = {
    kind: 'longestEdge',
    longestEdge: side,
    rounding: 'halfToEven',
    ...(shortestSide !== undefined && { shortestSide }),
  } as const;
  const resize: ResizeStep = { kind: 'resize', fit: 'rule', rule, filter, ...(library && { library }) };
  return colour === undefined ? [resize] : [resize, { kind: 'padTo', to: 'square', at: 'centre', colour }];
}

/** A cut of a part, such as a tile or a quarter. */
export function cropTo({ left, top, width, height }: Tile): CropStep {
  return { kind: 'crop', width, height, origin: { left, top } };
}

/** A square. */
export function squareOf(side: number): Size {
  return { width: side, height: side };
}
