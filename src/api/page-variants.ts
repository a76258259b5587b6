import { Failure } from '../failures.ts';
import { maxVariants } from '../options/image-options.ts';
import { invalidOption } from '../options/invalid-option.ts';
import { countOfPages, type PageRange, pagesIn, pagesText } from '../options/pages.ts';
import type { RequestOptions } from './variants.ts';

/**
 * A list of pages as variants, one for each page, named `p1`, `p2`, …. Other requests stay as they are.
 *
 * @throws Failure OPTION_INVALID for more pages than a request has variants, and for a list beside `variants`
 */
export function pagesAsVariants(options: RequestOptions): RequestOptions {
  const { common, variants } = options;
  const { page } = common.values;
  if (typeof page !== 'object') return options;
  if (variants !== undefined) {
    throw invalidOption('page', pagesText(page), 'one page beside variants, each of which may have its own');
  }
  if (countOfPages(page) > maxVariants) throw tooManyPages(page);
  return {
    common,
    variants: Array.from(pagesIn(page, Number.POSITIVE_INFINITY), (number) => ({
      name: `p${number}`,
      options: { page: number },
    })),
  };
}

function tooManyPages(ranges: readonly PageRange[]): Failure {
  const count = countOfPages(ranges);
  const given = pagesText(ranges);
  const isOpen = count === Number.POSITIVE_INFINITY;
  const words = isOpen ? 'reaches to the end of the document' : `has ${count} pages`;
  return new Failure(
    'OPTION_INVALID',
    `page is ${given}, which ${words}; one request takes ${maxVariants} pages. ` +
      '/v1/describe gives the number of pages. Send several requests, such as page=1-16 and page=17-32, or run "image-client job", which takes any number.',
    {
      option: 'page',
      actual: isOpen ? given : count,
      limit: maxVariants,
      allowed: `at most ${maxVariants} pages`,
    },
  );
}
