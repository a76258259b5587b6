import type { SourcePlan } from '../../image/plan.ts';
import type { Size } from '../../image/shortest-edge.ts';
import type { Pdfium, PdfiumInstance } from './pdfium.ts';

/** An error that PDFium returned: FPDF_GetLastError (fpdfview.h). */
export class PdfiumError extends Error {
  override readonly name = 'PdfiumError';
  /** The function that failed. */
  readonly call: string;
  readonly code: number;

  constructor(call: string, code: number) {
    super(`${call}: error ${code}`);
    this.call = call;
    this.code = code;
  }
}

/** FPDF_ERR_PASSWORD and FPDF_ERR_SECURITY. */
export const passwordError = 4;
export const securityError = 5;

/** FPDFBitmap_BGR: 3 bytes per pixel. */
const bgr = 2;
const white = 0xffffffff;

/** FPDF_ANNOT and FPDF_REVERSE_BYTE_ORDER. Text is antialiased in gray, since FPDF_LCD_TEXT is not set. */
const flags = { annotations: 0x01, rgb: 0x10 } as const;

/** Points per inch: ISO 32000-1, 8.3.2.3. */
const pointsPerInch = 72;

/** Coordinates of a crop box that contains every media box; PDFium intersects both. */
const everywhere = 1e6;

/** A document that PDFium has parsed. */
export interface PdfDocument {
  readonly pages: number;
  /** The memory of PDFium after parsing. */
  readonly state: Uint8Array;
  /** FPDF_DOCUMENT in it. */
  readonly handle: number;
}

/**
 * Parses a document.
 *
 * @param pdfium - in its initial state
 * @throws PdfiumError; RuntimeError where the WebAssembly code traps
 */
export function openPdf(instance: PdfiumInstance, content: Uint8Array, password: string): PdfDocument {
  const { pdfium } = instance;
  const handle = load(pdfium, content, password);
  const pages = pdfium._FPDF_GetPageCount(handle);
  return { pages, handle, state: instance.save() };
}

/**
 * The size of a page in pixels, as pypdfium2's `page.render(scale=dpi / 72)` has it: rounded up.
 *
 * @param pdfium - in the document's state
 * @throws PdfiumError if the page cannot be read; RuntimeError where the WebAssembly code traps
 */
export function sizeOfPage(pdfium: Pdfium, { handle }: PdfDocument, source: SourcePlan): Size {
  const { width, height } =
    source.pageBox === 'crop'
      ? cropSize(pdfium, handle, source.page - 1)
      : withPage(pdfium, handle, source, (page) => sizeInPoints(pdfium, page));
  const scale = source.dpi / pointsPerInch;
  return { width: Math.ceil(width * scale), height: Math.ceil(height * scale) };
}

/**
 * Draws a page on white.
 *
 * @param pdfium - in the document's state
 * @param to - [height, width, 3] uint8
 * @throws PdfiumError; RuntimeError where the WebAssembly code traps
 */
export function drawPage(
  pdfium: Pdfium,
  { handle }: PdfDocument,
  source: SourcePlan,
  size: Size,
  to: Uint8Array,
): void {
  withPage(pdfium, handle, source, (page) => {
    if (source.annotations) removeInvented(pdfium, page);
    draw(pdfium, page, source.annotations, size, to);
  });
}

/** Kinds of annotations (FPDF_ANNOT_…, fpdf_annot.h): links, free text, lines, polygons, polylines, carets. */
const inventedKinds: readonly number[] = [2, 3, 4, 7, 8, 14];
/** FPDF_ANNOT_APPEARANCEMODE_NORMAL. */
const normalAppearance = 0;

/**
 * Removes the annotations without an appearance that only EmbedPDF's PDFium draws, with one of its invention: a frame
 * around each link, for example. The caller puts the memory back.
 */
function removeInvented(pdfium: Pdfium, page: number): void {
  for (let index = pdfium._FPDFPage_GetAnnotCount(page) - 1; index >= 0; index--) {
    const annotation = pdfium._FPDFPage_GetAnnot(page, index);
    if (annotation === 0) continue;
    const isInvented =
      inventedKinds.includes(pdfium._FPDFAnnot_GetSubtype(annotation)) &&
      pdfium._EPDFAnnot_HasAppearanceStream(annotation, normalAppearance) === 0;
    pdfium._FPDFPage_CloseAnnot(annotation);
    if (isInvented) pdfium._FPDFPage_RemoveAnnot(page, index);
  }
}

function load(pdfium: Pdfium, content: Uint8Array, password: string): number {
  const file = store(pdfium, content);
  const text = store(pdfium, Buffer.from(`${password}\0`));
  const document = pdfium._FPDF_LoadMemDocument(file, content.length, password === '' ? 0 : text);
  if (document === 0) throw new PdfiumError('FPDF_LoadMemDocument', pdfium._FPDF_GetLastError());
  pdfium.HEAPU8.fill(0, text, text + Buffer.byteLength(password));
  pdfium._free(text);
  return document;
}

function store(pdfium: Pdfium, bytes: Uint8Array): number {
  const at = pdfium._malloc(bytes.length);
  if (at === 0) throw new PdfiumError('malloc', 0);
  pdfium.HEAPU8.set(bytes, at);
  return at;
}

/** Of the crop box, without reading the page's content. In points. */
function cropSize(pdfium: Pdfium, document: number, index: number): Size {
  const size = pdfium._malloc(8);
  try {
    if (pdfium._FPDF_GetPageSizeByIndexF(document, index, size) === 0) {
      throw new PdfiumError('FPDF_GetPageSizeByIndexF', pdfium._FPDF_GetLastError());
    }
    const [width, height] = pdfium.HEAPF32.subarray(size / 4, size / 4 + 2) as unknown as [number, number];
    return { width, height };
  } finally {
    pdfium._free(size);
  }
}

function sizeInPoints(pdfium: Pdfium, page: number): Size {
  return { width: pdfium._FPDF_GetPageWidthF(page), height: pdfium._FPDF_GetPageHeightF(page) };
}

function withPage<T>(
  pdfium: Pdfium,
  document: number,
  { page: number, pageBox }: SourcePlan,
  use: (page: number) => T,
): T {
  const page = pdfium._FPDF_LoadPage(document, number - 1);
  if (page === 0) throw new PdfiumError('FPDF_LoadPage', pdfium._FPDF_GetLastError());
  if (pageBox === 'media') {
    pdfium._FPDFPage_SetCropBox(page, -everywhere, -everywhere, everywhere, everywhere);
  }
  const result = use(page);
  pdfium._FPDF_ClosePage(page);
  return result;
}

function draw(
  pdfium: Pdfium,
  page: number,
  annotations: boolean,
  { width, height }: Size,
  to: Uint8Array,
): void {
  const stride = width * 3;
  const pixels = pdfium._malloc(stride * height);
  if (pixels === 0) throw new PdfiumError('malloc', 0);
  const bitmap = pdfium._FPDFBitmap_CreateEx(width, height, bgr, pixels, stride);
  if (bitmap === 0) throw new PdfiumError('FPDFBitmap_CreateEx', pdfium._FPDF_GetLastError());
  pdfium._FPDFBitmap_FillRect(bitmap, 0, 0, width, height, white);
  const mode = flags.rgb | (annotations ? flags.annotations : 0);
  pdfium._FPDF_RenderPageBitmap(bitmap, page, 0, 0, width, height, 0, mode);
  to.set(pdfium.HEAPU8.subarray(pixels, pixels + stride * height));
  pdfium._FPDFBitmap_Destroy(bitmap);
  pdfium._free(pixels);
}
