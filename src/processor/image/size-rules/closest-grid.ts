import { inSetOrder } from '../python-set.ts';
import { roundHalfToEven } from '../shortest-edge.ts';
import type { SizeRuleKind } from './size-rule.ts';

/**
 * The whole patches whose proportions are closest to the image's, at most so many: `smart_resize` of transformers
 * (image_processing_muse_glimmer.py).
 */
export interface ClosestGridRule {
  readonly kind: 'closestGrid';
  /** Side of a patch, in pixels. */
  readonly patch: number;
  readonly maxPatches: number;
}

type Grid = readonly [rows: number, columns: number];

export const closestGrid: SizeRuleKind<ClosestGridRule> = {
  inWords: ({ patch, maxPatches }) =>
    `to the whole patches of ${patch} × ${patch} pixels, at most ${maxPatches}, whose proportions are closest to its own`,
  size({ patch, maxPatches }, { width, height }) {
    const ideal = idealGrid(height / patch, width / patch, maxPatches);
    const grids = pairsOf(ideal).filter(
      ([rows, columns]) => rows >= 1 && columns >= 1 && rows * columns <= maxPatches,
    );
    const rounded = ideal.map((length) => Math.max(1, roundHalfToEven(length))) as unknown as Grid;
    const distance = ([rows, columns]: Grid) => Math.abs(rows / columns - height / width);
    // The first of several at one distance, as in Python.
    const [rows, columns] = (grids.length === 0 ? [rounded] : grids).reduce((best, grid) =>
      distance(grid) < distance(best) ? grid : best,
    );
    return { width: columns * patch, height: rows * patch };
  },
};

function idealGrid(rows: number, columns: number, maxPatches: number): Grid {
  if (rows * columns <= maxPatches) return [rows, columns];
  const ratio = columns / rows;
  const fewer = Math.sqrt(maxPatches / ratio);
  return [fewer, fewer * ratio];
}

/** Both sides rounded down and up, in the order in which Python iterates over the set of them. */
function pairsOf([rows, columns]: Grid): readonly Grid[] {
  const pairs = [Math.floor(rows), Math.ceil(rows)].flatMap((row) =>
    [Math.floor(columns), Math.ceil(columns)].map((column): Grid => [row, column]),
  );
  return inSetOrder(pairs);
}
