import type { Kind } from './kinds.ts';

/*
 * The option `page`: one page of a document, or several, of which a request makes variants and a job one output each.
 */

/** Pages from `first` to `last`, counted from 1. `last` is Infinity for a range up to the end of the document. */
export interface PageRange {
  readonly first: number;
  readonly last: number;
}

/** One page, or a list of ranges in the order in which the pages are made. */
export type Pages = number | readonly PageRange[];

/** The largest number of a page: PDFium counts pages in 32-bit integers. */
const maxPage = 2_147_483_647;

/** Pages as text: `3`, `1-3,7`, `5-` to the end, `all`. A list may have brackets, as Python and JSON write it. */
export const pages: Kind<Pages> = {
  parse(text) {
    const list = text.trim().replace(/^[[(](.*?),?[\])]$/s, '$1');
    const single = /^\d{1,10}(\.0{1,20})?$/.test(list) ? Number(list) : undefined;
    if (single !== undefined) return isPage(single) ? single : undefined;
    if (list === 'all') return [{ first: 1, last: Number.POSITIVE_INFINITY }];
    const ranges = list.split(',').map(rangeIn);
    const valid = ranges.filter((range) => range !== undefined);
    return valid.length === ranges.length && !overlap(valid) ? valid : undefined;
  },
  allowed: 'a page from 1; several as 1-3,7, or up to the end as 5- or all, each page once',
  schema: { type: ['integer', 'string'], minimum: 1, pattern: '^(\\d+(-\\d*)?(,\\d+(-\\d*)?)*|all)$' },
};

function rangeIn(text: string): PageRange | undefined {
  const [, from = '', dash, to = ''] = /^\s*(\d{1,10})\s*(?:(-)\s*(\d{0,10}))?\s*$/.exec(text) ?? [];
  const first = Number(from);
  const last = dash === undefined ? first : to === '' ? Number.POSITIVE_INFINITY : Number(to);
  const isValid = isPage(first) && first <= last && (isPage(last) || last === Number.POSITIVE_INFINITY);
  return isValid ? { first, last } : undefined;
}

function isPage(number: number): boolean {
  return number >= 1 && number <= maxPage;
}

function overlap(ranges: readonly PageRange[]): boolean {
  const sorted = ranges.toSorted((a, b) => a.first - b.first);
  return sorted.some(({ first }, index) => index > 0 && first <= (sorted[index - 1] as PageRange).last);
}

/** How many pages a list has; Infinity if it reaches to the end of the document. */
export function countOfPages(ranges: readonly PageRange[]): number {
  return ranges.reduce((sum, { first, last }) => sum + (last - first + 1), 0);
}

/**
 * The pages of a list in its order.
 *
 * @param total - the number of pages that the document has; ranges end there at the latest
 */
export function* pagesIn(ranges: readonly PageRange[], total: number): Generator<number> {
  for (const { first, last } of ranges) {
    for (let page = first; page <= Math.min(last, total); page++) yield page;
  }
}

/** Pages as text, which `pages` reads again. */
export function pagesText(choice: Pages): string {
  if (typeof choice === 'number') return String(choice);
  return choice
    .map(({ first, last }) =>
      first === last ? `${first}` : `${first}-${last === Number.POSITIVE_INFINITY ? '' : last}`,
    )
    .join(',');
}
