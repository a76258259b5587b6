/** A PDF as a list of its objects, numbered from 1; the first is the catalog. Streams are `[dictionary, content]`. */
export type PdfObject = string | readonly [dictionary: string, content: string | Uint8Array];

/** Writes a PDF 1.7 with a table of references (ISO 32000-1, 7.5). @param trailer - more of its entries */
export function pdfOf(objects: readonly PdfObject[], trailer = ''): Buffer {
  const parts: Buffer[] = [Buffer.from('%PDF-1.7\n%\xe2\xe3\xcf\xd3\n', 'latin1')];
  let length = parts[0]?.length ?? 0;
  const offsets = objects.map((object, index) => {
    const at = length;
    const bytes = objectBytes(index + 1, object);
    parts.push(bytes);
    length += bytes.length;
    return at;
  });
  const rows = offsets.map((at) => `${String(at).padStart(10, '0')} 00000 n \n`).join('');
  const size = objects.length + 1;
  parts.push(
    Buffer.from(
      `xref\n0 ${size}\n0000000000 65535 f \n${rows}trailer\n<< /Size ${size} /Root 1 0 R ${trailer} >>\nstartxref\n${length}\n%%EOF\n`,
    ),
  );
  return Buffer.concat(parts);
}

function objectBytes(number: number, object: PdfObject): Buffer {
  if (typeof object === 'string') return Buffer.from(`${number} 0 obj\n${object}\nendobj\n`, 'latin1');
  const [dictionary, content] = object;
  const bytes = typeof content === 'string' ? Buffer.from(content, 'latin1') : content;
  return Buffer.concat([
    Buffer.from(`${number} 0 obj\n<< ${dictionary} /Length ${bytes.length} >>\nstream\n`, 'latin1'),
    bytes,
    Buffer.from('\nendstream\nendobj\n'),
  ]);
}

/** A page of a simple document: its boxes and its content. */
export interface PdfPage {
  /** In points. Default: 36 × 18. */
  readonly mediaBox?: readonly number[];
  readonly cropBox?: readonly number[];
  readonly rotate?: number;
  readonly content?: string;
  /** More entries of the page's dictionary. */
  readonly more?: string;
}

/** A document of pages. @param more - objects that the pages refer to: the first is 3 + 2 × pages */
export function pagesPdf(pages: readonly PdfPage[], more: readonly PdfObject[] = []): Buffer {
  const kids = pages.map((_, index) => `${3 + 2 * index} 0 R`).join(' ');
  return pdfOf([
    '<< /Type /Catalog /Pages 2 0 R >>',
    `<< /Type /Pages /Kids [${kids}] /Count ${pages.length} >>`,
    ...pages.flatMap(
      ({ mediaBox = [0, 0, 36, 18], cropBox, rotate, content = '', more: entries = '' }, index) => [
        `<< /Type /Page /Parent 2 0 R /MediaBox [${mediaBox.join(' ')}]${cropBox ? ` /CropBox [${cropBox.join(' ')}]` : ''}${rotate === undefined ? '' : ` /Rotate ${rotate}`} /Contents ${4 + 2 * index} 0 R ${entries} >>`,
        ['', content] as const,
      ],
    ),
    ...more,
  ]);
}
