import { describe, expect, it } from 'vitest';
import { pagesAsVariants } from '../../src/api/page-variants.ts';
import { readOptions, requestWithOptions } from '../../src/api/variants.ts';
import { Failure } from '../../src/failures.ts';
import { standardDefaults } from '../../src/options/image-options.ts';

const optionsOf = (query: string) => pagesAsVariants(readOptions([...new URLSearchParams(query)]));

const messageOf = (query: string) =>
  requestWithOptions({ case: 'content', value: new Uint8Array([1]) }, optionsOf(query), standardDefaults);

function refusal(query: string): Failure {
  try {
    messageOf(query);
  } catch (error) {
    if (error instanceof Failure) return error;
  }
  throw new Error(`${query} was not refused`);
}

describe(pagesAsVariants, () => {
  it('makes a variant of each page, in the order of the list, with all other options', () => {
    const message = messageOf('page=7,1-2&dpi=72&width=5');
    if (message.$typeName !== 'image.v1.ProcessVariantsRequest') throw new Error(message.$typeName);
    expect(message.variants.map(({ sourceOptions, resize }) => [sourceOptions, resize?.width])).toMatchObject(
      [
        [{ page: 7, dpi: 72 }, 5],
        [{ page: 1, dpi: 72 }, 5],
        [{ page: 2, dpi: 72 }, 5],
      ],
    );
    expect(optionsOf('page=7,1-2').variants?.map(({ name }) => name)).toEqual(['p7', 'p1', 'p2']);
  });

  it('makes one output of one page, and a variant of a range of one', () => {
    expect(messageOf('page=3')).toMatchObject({
      $typeName: 'image.v1.ProcessRequest',
      sourceOptions: { page: 3 },
    });
    expect(messageOf('page=3-3')).toMatchObject({ variants: [{ sourceOptions: { page: 3 } }] });
  });

  it('takes 16 pages, and says what to do with more', () => {
    expect(optionsOf('page=1-16').variants).toHaveLength(16);
    const { reason, metadata, message } = refusal('page=1-1000000000');
    expect(reason).toBe('OPTION_INVALID');
    expect(metadata).toMatchObject({ option: 'page', actual: '1000000000', limit: '16' });
    expect(message).toContain('page=17-32');
  });

  it.each(['all', '5-'])('refuses page=%s, whose end only a job finds', (page) => {
    const { metadata, message } = refusal(`page=${page}`);
    expect(metadata).toMatchObject({ option: 'page', limit: '16' });
    expect(message).toContain('image-client job');
  });

  it('refuses a list beside variants, and one within a variant by its index', () => {
    expect(refusal('page=1-2&variants=[{"width":5}]').metadata).toMatchObject({
      option: 'page',
      actual: '1-2',
    });
    expect(refusal('variants=[{"page":2},{"page":"1-2"}]').metadata).toMatchObject({
      option: 'page',
      index: '1',
      allowed: 'one page',
    });
    expect(messageOf('page=4&variants=[{"page":2},{}]')).toMatchObject({
      variants: [{ sourceOptions: { page: 2 } }, { sourceOptions: { page: 4 } }],
    });
  });
});
