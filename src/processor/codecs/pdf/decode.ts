import { hash } from 'node:crypto';
import { Failure } from '../../../failures.ts';
import { defaultSource } from '../../image/default-source.ts';
import type { Pixels } from '../../image/pixels.ts';
import type { SourcePlan } from '../../image/plan.ts';
import type { Size } from '../../image/shortest-edge.ts';
import { takeScratch } from '../../workers/scratch.ts';
import { decodingFailure } from '../decoder-failure.ts';
import type { ImageHeader } from '../header.ts';
import { openPdf, type PdfDocument, PdfiumError, passwordError, securityError } from './document.ts';

/** Documents that stay open, the last used at the end, so that pages of one document share its parsing. */
const open = new Map<string, PdfDocument>();
const mostOpen = 2;

export async function readHeader(content: Uint8Array, source = defaultSource): Promise<ImageHeader> {
  const document = await openDocument(content, source);
  checkPage(document, source);
  const { width, height } = document.sizeOf(source);
  return {
    format: 'pdf',
    width,
    height,
    orientation: 1,
    colour: 'rgb',
    bitDepth: 8,
    hasAlpha: false,
    hasIccProfile: false,
    frames: document.pages,
    isProgressive: false,
    samplesPerPixel: 3,
  };
}

export async function decode(content: Uint8Array, header: ImageHeader): Promise<Pixels> {
  const { width, height, source = defaultSource } = header;
  const document = await openDocument(content, source);
  const data = takeScratch(width * height * 3);
  try {
    document.draw(source, header, data);
  } catch (cause) {
    open.clear();
    throw decodingFailure(header, cause);
  }
  return { data, width, height, channels: 3 };
}

/** Limits of the sizes that are read. That of a media box needs the page's content. */
const mostSizes = { crop: 1000, media: 100 } as const;

/** The sizes of the first pages, in pixels. */
export async function readPages(content: Uint8Array, source = defaultSource): Promise<readonly Size[]> {
  const document = await openDocument(content, source);
  const count = Math.min(document.pages, mostSizes[source.pageBox]);
  return Array.from({ length: count }, (_, index) => document.sizeOf({ ...source, page: index + 1 }));
}

async function openDocument(content: Uint8Array, source: SourcePlan): Promise<PdfDocument> {
  // A page whose crop box was replaced keeps it while the document is open.
  const key = JSON.stringify([hash('sha256', content), source.password, source.pageBox]);
  const known = open.get(key);
  open.delete(key);
  const document = known ?? (await openPdf(content, source.password).catch(rethrow(source)));
  open.set(key, document);
  const [oldest] = open.keys();
  if (open.size > mostOpen && oldest !== undefined) open.delete(oldest);
  return document;
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

function rethrow({ password }: SourcePlan): (cause: unknown) => never {
  return (cause) => {
    const code = cause instanceof PdfiumError ? cause.code : undefined;
    if (code === passwordError && password === '') {
      throw new Failure(
        'DOCUMENT_PASSWORD_REQUIRED',
        'The PDF is encrypted. Send its password in source_options.password.',
        { format: 'pdf' },
      );
    }
    if (code === passwordError) {
      throw new Failure('DOCUMENT_PASSWORD_WRONG', 'The PDF does not open with this password.', {
        format: 'pdf',
      });
    }
    if (code === securityError) {
      throw new Failure(
        'FORMAT_UNSUPPORTED',
        'The PDF is encrypted by a method that is not supported. Save it again without encryption.',
        { format: 'pdf' },
        { cause },
      );
    }
    throw new Failure(
      'IMAGE_CORRUPT',
      'The PDF cannot be opened: it is cut off or damaged.',
      { format: 'pdf' },
      { cause },
    );
  };
}
