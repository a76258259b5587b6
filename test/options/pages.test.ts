import { describe, expect, it } from 'vitest';
import { countOfPages, type Pages, pages, pagesIn, pagesText } from '../../src/options/pages.ts';

const toTheEnd = Number.POSITIVE_INFINITY;

describe('pages', () => {
  it.each<[string, Pages]>([
    ['3', 3],
    ['3.0', 3],
    ['[3]', 3],
    [
      '1-3,7',
      [
        { first: 1, last: 3 },
        { first: 7, last: 7 },
      ],
    ],
    [
      '7,1-3',
      [
        { first: 7, last: 7 },
        { first: 1, last: 3 },
      ],
    ],
    [
      '[1, 2]',
      [
        { first: 1, last: 1 },
        { first: 2, last: 2 },
      ],
    ],
    ['2-2', [{ first: 2, last: 2 }]],
    ['5-', [{ first: 5, last: toTheEnd }]],
    ['all', [{ first: 1, last: toTheEnd }]],
    ['2147483647', 2_147_483_647],
  ])('reads %j', (text, value) => {
    expect(pages.parse(text)).toEqual(value);
  });

  it.each(['', '0', '-1', '1.5', 'x', '3-1', '1,', ',1', '1--2', '-3', '2147483648', '0-3', 'All', '1e3'])(
    'refuses %j',
    (text) => {
      expect(pages.parse(text)).toBeUndefined();
    },
  );

  it.each(['1,1', '1-3,2', '2-,7', '3,1-3', 'all,1'])('refuses a page that %j contains twice', (text) => {
    expect(pages.parse(text)).toBeUndefined();
  });

  it.each(['3', '1-3,7', '7,1-3', '5-', '2'])('writes %j as it was given', (text) => {
    expect(pagesText(pages.parse(text) as Pages)).toBe(text);
  });
});

describe(countOfPages, () => {
  it.each([
    ['1-3,7', 4],
    ['2-2', 1],
    ['1-1000000000', 1_000_000_000],
    ['5-', toTheEnd],
  ])('counts the pages of %j without listing them', (text, count) => {
    expect(countOfPages(pages.parse(text) as Exclude<Pages, number>)).toBe(count);
  });
});

describe(pagesIn, () => {
  it.each<[string, number, number[]]>([
    ['7,1-3', 9, [7, 1, 2, 3]],
    ['1-3,7', 2, [1, 2]],
    ['3-', 5, [3, 4, 5]],
    ['all', 2, [1, 2]],
    ['8-9', 5, []],
  ])('gives the pages of %j in a document of %d', (text, total, list) => {
    expect([...pagesIn(pages.parse(text) as Exclude<Pages, number>, total)]).toEqual(list);
  });
});
