import { Failure } from '../../../failures.ts';
import { defaultSource } from '../../image/default-source.ts';
import type { Pixels } from '../../image/pixels.ts';
import type { SourcePlan } from '../../image/plan.ts';
import type { Size } from '../../image/shortest-edge.ts';
import { takeScratch } from '../../workers/scratch.ts';
import type { ImageHeader } from '../header.ts';
import {
  drawPage,
  type PdfDocument,
  PdfiumError,
  passwordError,
  securityError,
  sizeOfPage,
} from './document.ts';
import { maxMemoryBytes } from './memory.ts';
import type { Pdfium } from './pdfium.ts';
import { PdfiumOutOfMemory, withDocument } from './session.ts';

export async function readHeader(content: Uint8Array, source = defaultSource): Promise<ImageHeader> {
  const { pages, width, height } = await inDocument(content, source, (pdfium, document) => {
    checkPage(document, source);
    const size = sizeOfPage(pdfium, document, source);
    checkArea(size, source);
    return { pages: document.pages, ...size };
  });
  return {
    format: 'pdf',
    width,
    height,
    orientation: 1,
    colour: 'rgb',
    bitDepth: 8,
    hasAlpha: false,
    hasIccProfile: false,
    frames: pages,
    isProgressive: false,
    samplesPerPixel: 3,
  };
}

export async function decode(content: Uint8Array, header: ImageHeader): Promise<Pixels> {
  const { width, height, source = defaultSource } = header;
  const data = takeScratch(width * height * 3);
  await inDocument(content, source, (pdfium, document) => {
    checkPage(document, source);
    drawPage(pdfium, document, source, header, data);
  });
  return { data, width, height, channels: 3 };
}

/** Limits of the sizes that are read. That of a media box needs the page's content. */
const mostSizes = { crop: 1000, media: 100 } as const;

/** The sizes of the first pages, in pixels. */
export async function readPages(content: Uint8Array, source = defaultSource): Promise<readonly Size[]> {
  return await inDocument(content, source, (pdfium, document) => {
    const count = Math.min(document.pages, mostSizes[source.pageBox]);
    return Array.from({ length: count }, (_, index) =>
      sizeOfPage(pdfium, document, { ...source, page: index + 1 }),
    );
  });
}

/** Calls `use` with PDFium in the state of a document. @throws Failure */
async function inDocument<T>(
  content: Uint8Array,
  source: SourcePlan,
  use: (pdfium: Pdfium, document: PdfDocument) => T,
): Promise<T> {
  try {
    return await withDocument(content, source, use);
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw failureOf(error, source);
  }
}

function checkPage({ pages }: PdfDocument, { page }: SourcePlan): void {
  if (pages === 0) {
    throw new Failure('DOCUMENT_EMPTY', 'The PDF has no pages.', { format: 'pdf' });
  }
  if (page <= pages) return;
  throw new Failure(
    'PAGE_OUT_OF_RANGE',
    `Page ${page} was requested; the PDF has ${pages === 1 ? '1 page' : `${pages} pages`}, counted from 1.`,
    { format: 'pdf', limit: pages, actual: page },
  );
}

/** A crop box outside of the media box leaves nothing to draw. */
function checkArea({ width, height }: Size, { page, pageBox }: SourcePlan): void {
  if (width > 0 && height > 0) return;
  const advice = pageBox === 'crop' ? ' Ask for page_box=media, or save it again.' : ' Save it again.';
  throw new Failure('IMAGE_CORRUPT', `Page ${page} of the PDF has no area.${advice}`, {
    format: 'pdf',
    page,
  });
}

function failureOf(cause: unknown, { page, password }: SourcePlan): Failure {
  const metadata = { format: 'pdf' };
  if (cause instanceof PdfiumOutOfMemory) {
    return new Failure(
      'SOURCE_MEMORY_OVER_LIMIT',
      `Page ${page} of the PDF takes more than ${maxMemoryBytes} bytes of memory to draw. Ask for a lower dpi, or save its pictures smaller.`,
      { ...metadata, limit: maxMemoryBytes, page },
      { cause },
    );
  }
  const code = cause instanceof PdfiumError ? cause.code : undefined;
  if (code === passwordError) {
    return password === ''
      ? new Failure(
          'DOCUMENT_PASSWORD_REQUIRED',
          'The PDF is encrypted. Send its password: the form field password over HTTP, source_options.password over gRPC.',
          metadata,
        )
      : new Failure('DOCUMENT_PASSWORD_WRONG', 'The PDF does not open with this password.', metadata);
  }
  if (code === securityError) {
    return new Failure(
      'FORMAT_UNSUPPORTED',
      'The PDF is encrypted by a method that is not supported. Save it again without encryption.',
      metadata,
      { cause },
    );
  }
  const message =
    cause instanceof PdfiumError && cause.call === 'FPDF_LoadMemDocument'
      ? 'The PDF cannot be opened: it is cut off or damaged.'
      : `Page ${page} of the PDF cannot be drawn: the document is cut off or damaged.`;
  return new Failure('IMAGE_CORRUPT', message, { ...metadata, page }, { cause });
}
