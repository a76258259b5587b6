import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import library from '../../src/processor/presets/transformers/library-types.json' with { type: 'json' };
import { notComputed } from '../../src/processor/presets/transformers/not-computed.ts';
import { marks } from '../parity/models-table.ts';

const page = readFileSync(new URL('../../docs/models.md', import.meta.url), 'utf8');

/** The cells of the rows whose first cell is the name of a class. */
const rows = page
  .split('\n')
  .filter((line) => /^\| `\w+ImageProcessor` \|/.test(line))
  .map((line) => line.slice(2, -2).split(' | '));

describe('docs/models.md', () => {
  it('has the marks between which its tables are written', () => {
    expect(marks.map((mark) => page.split(mark).length)).toEqual([2, 2]);
  });

  it('lists the image processors of transformers', () => {
    expect(rows.map(([name]) => name)).toEqual(Object.keys(library.types).map((name) => `\`${name}\``));
  });

  it('says of those that are refused, and only of those, what is missing', () => {
    const refused = rows.flatMap((cells) => {
      const [name = '', why = ''] = [cells[0], cells.at(-1)];
      return why.trim() === '' ? [] : [[name.replaceAll('`', ''), why]];
    });
    expect(Object.fromEntries(refused)).toEqual(notComputed);
  });
});
