import type { SourcePlan } from '../../image/plan.ts';
import type { Size } from '../../image/shortest-edge.ts';
import { createPdfium, type Pdfium } from './pdfium.ts';

/** An error that PDFium returned: FPDF_GetLastError (fpdfview.h). */
export class PdfiumError extends Error {
  override readonly name = 'PdfiumError';
  readonly code: number;

  constructor(what: string, code: number) {
    super(`${what}: error ${code}`);
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

/** An open document in an instance of PDFium of its own, so that no document sees or damages another. */
export interface PdfDocument {
  readonly pages: number;
  /**
   * The size of a page in pixels, as pypdfium2's `page.render(scale=dpi / 72)` has it: rounded up.
   *
   * @throws PdfiumError if there is no such page; RuntimeError where the WebAssembly code traps
   */
  sizeOf(source: SourcePlan): Size;
  /**
   * Draws a page on white.
   *
   * @param to - [height, width, 3] uint8
   * @throws PdfiumError; RuntimeError where the WebAssembly code traps
   */
  draw(source: SourcePlan, size: Size, to: Uint8Array): void;
}

/**
 * Opens a document.
 *
 * @throws PdfiumError; RuntimeError where the WebAssembly code traps
 */
export async function openPdf(content: Uint8Array, password: string): Promise<PdfDocument> {
  const pdfium = await createPdfium(() => true);
  // The instance is dropped with all of its memory, so the file and the document are not freed.
  const document = load(pdfium, content, password);
  return {
    pages: pdfium._FPDF_GetPageCount(document),
    sizeOf(source) {
      const { width, height } =
        source.pageBox === 'crop'
          ? cropSize(pdfium, document, source.page - 1)
          : withPage(pdfium, document, source, (page) => sizeOfPage(pdfium, page));
      const scale = source.dpi / pointsPerInch;
      return { width: Math.ceil(width * scale), height: Math.ceil(height * scale) };
    },
    draw(source, size, to) {
      withPage(pdfium, document, source, (page) => draw(pdfium, page, source.annotations, size, to));
    },
  };
}

function load(pdfium: Pdfium, content: Uint8Array, password: string): number {
  const file = store(pdfium, content);
  const text = store(pdfium, Buffer.from(`${password}\0`));
  const document = pdfium._FPDF_LoadMemDocument(file, content.length, password === '' ? 0 : text);
  if (document === 0) throw new PdfiumError('FPDF_LoadMemDocument', pdfium._FPDF_GetLastError());
  pdfium.HEAPU8.fill(0, text, text + password.length);
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

function sizeOfPage(pdfium: Pdfium, page: number): Size {
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
