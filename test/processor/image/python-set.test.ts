import { describe, expect, it } from 'vitest';
import { inSetOrder } from '../../../src/processor/image/python-set.ts';

describe(inSetOrder, () => {
  it('has the order in which CPython 3.11 iterates over the grids of 2 to 10 tiles', () => {
    const grids: [number, number][] = [];
    for (let longest = 2; longest <= 10; longest++) {
      for (let columns = 1; columns <= longest; columns++) {
        for (let rows = 1; rows <= longest; rows++) {
          if (columns * rows >= 2 && columns * rows <= 10) grids.push([columns, rows]);
        }
      }
    }
    expect(JSON.stringify(inSetOrder(grids))).toBe(
      '[[3,1],[5,1],[2,2],[1,6],[2,5],[1,3],[1,9],[7,1],[4,2],[3,3],[9,1],[2,4],[1,2],[2,1],[1,5],[6,1],[1,8],[3,2],[4,1],[5,2],[8,1],[10,1],[1,4],[2,3],[1,7],[1,10]]',
    );
  });
});
