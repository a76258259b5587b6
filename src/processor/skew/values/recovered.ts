import type { Levels } from '../lattice/hypothesis.ts';
import type { ValueMap } from './value-map.ts';

/** The levels that a tensor's values mean. */
export interface RecoveredPicture extends Levels {
  /**
   * How far a rendered level is from that of this picture, in levels; 0 if the tensor cannot tell them apart. Unset: their
   * absolute difference.
   */
  readonly distance?: (own: number, rendered: number, channel: number) => number;
}

/** The picture in a tensor, read with one value map. */
export interface Recovered {
  readonly picture: RecoveredPicture;
  readonly valueMap: ValueMap;
  /** Other value maps that give the same values. */
  readonly also: readonly ValueMap[];
  /** Whether the value map gives every value of the tensor, to the last bit, where the levels are these. */
  readonly isExact: boolean;
  /**
   * Of levels that no step has rounded: the value map that gives every value of the tensor, to the last bit, from a
   * rendered picture. Unset: see `isExact`.
   */
  readonly prove?: (rendered: Levels) => ValueMap | undefined;
}
