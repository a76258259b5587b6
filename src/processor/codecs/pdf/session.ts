import { hash } from 'node:crypto';
import type { SourcePlan } from '../../image/plan.ts';
import { openPdf, type PdfDocument, PdfiumError } from './document.ts';
import { keptMemoryBytes, maxMemoryBytes, mostKeptBytes } from './memory.ts';
import { createPdfium, type Pdfium, type PdfiumInstance } from './pdfium.ts';

/*
 * One instance of PDFium draws the pages of all documents, each from the memory as it was after the document was parsed.
 * So a document is parsed once for several pages, and still no page depends on what was drawn before it: PDFium's caches
 * of fonts change the pixels of text in substituted fonts. A document that damages the memory damages its own page only.
 */

/** Pages after which an instance is dropped in any case. */
const mostUses = 1000;

/** Limit of the parsed documents that are kept. */
const mostKept = 4;

let current: PdfiumInstance | undefined;
/** Pages of the current instance. */
let uses = 0;
/** The memory before any document, which is the same in every instance. */
let initial: Uint8Array | undefined;
/** The parsed documents by their file and password, the last used at the end. */
const documents = new Map<string, PdfDocument>();

/** PDFium ran out of its memory. */
export class PdfiumOutOfMemory extends Error {
  override readonly name = 'PdfiumOutOfMemory';
}

/**
 * Calls `use` with PDFium in the state of a document.
 *
 * @throws PdfiumError; PdfiumOutOfMemory; RuntimeError where the WebAssembly code traps
 */
export async function withDocument<T>(
  content: Uint8Array,
  { password }: Pick<SourcePlan, 'password'>,
  use: (pdfium: Pdfium, document: PdfDocument) => T,
): Promise<T> {
  const instance = await takeInstance();
  let isReusable = false;
  try {
    const document = documentOf(instance, content, password);
    instance.restore(document.state);
    const result = use(instance.pdfium, document);
    if (instance.isOutOfMemory) throw new PdfiumOutOfMemory('the memory has reached its limit');
    isReusable = true;
    return result;
  } catch (cause) {
    if (instance.isOutOfMemory) throw new PdfiumOutOfMemory(String(cause), { cause });
    // After any other error than PDFium's own, such as a trap, the state outside of the memory is unknown.
    isReusable = cause instanceof PdfiumError;
    throw cause;
  } finally {
    if (!isReusable || instance.memoryBytes > keptMemoryBytes || uses >= mostUses) current = undefined;
  }
}

async function takeInstance(): Promise<PdfiumInstance> {
  if (current === undefined) {
    current = await createPdfium(maxMemoryBytes);
    initial ??= current.save();
    uses = 0;
  }
  uses++;
  return current;
}

function documentOf(instance: PdfiumInstance, content: Uint8Array, password: string): PdfDocument {
  const key = `${hash('sha256', content)} ${password}`;
  const known = documents.get(key);
  documents.delete(key);
  if (known === undefined && initial !== undefined) instance.restore(initial);
  const document = known ?? openPdf(instance, content, password);
  documents.set(key, document);
  dropOldest();
  return document;
}

function dropOldest(): void {
  let bytes = 0;
  for (const [index, [key, { state }]] of [...documents].reverse().entries()) {
    bytes += state.length;
    if (index >= mostKept || (index > 0 && bytes > mostKeptBytes)) documents.delete(key);
  }
}
