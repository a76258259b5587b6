import { hash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { drawGolden, pdfGoldens } from './pdf-goldens.ts';

describe('a page of a PDF', () => {
  it.each(pdfGoldens.map((golden) => [golden.document, golden.page, golden.dpi, golden] as const))(
    'has the bytes of pypdfium2: %s, page %i at %i dpi',
    async (_document, _page, _dpi, golden) => {
      const { data, width, height } = await drawGolden(golden);
      expect([width, height, hash('sha256', data)]).toEqual([golden.width, golden.height, golden.sha256]);
    },
  );
});
