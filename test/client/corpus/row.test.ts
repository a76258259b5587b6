import { describe, expect, it } from 'vitest';
import { lineOfRow, rowInLine } from '../../../src/client/corpus/row.ts';

describe(rowInLine, () => {
  it('reads what was written, with all digits of an int64', () => {
    const columns = [
      { name: 'id64', type: 'int64' },
      { name: 'score', type: 'double' },
      { name: 'tags', type: 'json' },
    ] as const;
    const row = {
      row: 7,
      id: 'a/b',
      url: 'https://images.example/cat.pdf',
      page: 3,
      values: [9_007_199_254_740_993n, 1e20, [1, { a: null }]],
    };
    expect(rowInLine(lineOfRow(row), columns)).toEqual(row);
  });
});
