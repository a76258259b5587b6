import { readFileSync } from 'node:fs';
import { decodeWhole } from '../../src/processor/codecs/decode.ts';
import { readHeader } from '../../src/processor/codecs/read-header.ts';
import { defaultSource } from '../../src/processor/image/default-source.ts';
import type { Pixels } from '../../src/processor/image/pixels.ts';

/** A page as pypdfium2 draws it: make_pdf_goldens.py. */
export interface PdfGolden {
  /** Its name in test/fixtures/pdf, without `.pdf`. */
  readonly document: string;
  readonly page: number;
  readonly dpi: number;
  readonly page_box?: 'media';
  readonly annotations?: false;
  readonly password?: string;
  readonly width: number;
  readonly height: number;
  /** SHA-256 of [height, width, 3] uint8. */
  readonly sha256: string;
}

export const pdfGoldens: readonly PdfGolden[] = JSON.parse(
  readFileSync(new URL('./pdf-goldens.json', import.meta.url), 'utf8'),
).pages;

/** A document of test/fixtures/pdf. */
export function pdfFixture(name: string): Buffer {
  return readFileSync(new URL(`../fixtures/pdf/${name}.pdf`, import.meta.url));
}

/** Draws the page of a golden. @returns [height, width, 3] uint8, until the next call */
export async function drawGolden(golden: PdfGolden): Promise<Pixels> {
  const { document, page, dpi, page_box: pageBox, annotations, password } = golden;
  const content = pdfFixture(document);
  const header = await readHeader(content, 100_000_000, {
    page,
    dpi,
    pageBox: pageBox ?? defaultSource.pageBox,
    annotations: annotations ?? defaultSource.annotations,
    password: password ?? defaultSource.password,
  });
  return await decodeWhole(content, header);
}
