import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { init } from '@embedpdf/pdfium';

/*
 * PDFium in WebAssembly, by its C interface (fpdfview.h, fpdf_transformpage.h). It sees no file, no environment and no
 * network: its system calls reach an empty file system in memory. It has no JavaScript engine.
 */

/** The functions that are called. A pointer is a number of bytes from the start of the memory; 0 is none. */
export interface Pdfium {
  /** Replaced when the memory grows. */
  readonly HEAPU8: Uint8Array;
  readonly HEAPF32: Float32Array;
  _malloc(bytes: number): number;
  _free(pointer: number): void;
  _FPDF_InitLibraryWithConfig(config: number): void;
  _FPDF_LoadMemDocument(file: number, bytes: number, password: number): number;
  _FPDF_GetLastError(): number;
  _FPDF_GetPageCount(document: number): number;
  _FPDF_GetPageSizeByIndexF(document: number, index: number, size: number): number;
  _FPDF_LoadPage(document: number, index: number): number;
  _FPDF_GetPageWidthF(page: number): number;
  _FPDF_GetPageHeightF(page: number): number;
  _FPDF_ClosePage(page: number): void;
  _FPDFPage_SetCropBox(page: number, left: number, bottom: number, right: number, top: number): void;
  _FPDFPage_GetAnnotCount(page: number): number;
  _FPDFPage_GetAnnot(page: number, index: number): number;
  _FPDFPage_CloseAnnot(annotation: number): void;
  _FPDFPage_RemoveAnnot(page: number, index: number): number;
  _FPDFAnnot_GetSubtype(annotation: number): number;
  /** An addition of EmbedPDF's. @param mode - FPDF_ANNOT_APPEARANCEMODE_… */
  _EPDFAnnot_HasAppearanceStream(annotation: number, mode: number): number;
  _FPDFBitmap_CreateEx(width: number, height: number, format: number, pixels: number, stride: number): number;
  _FPDFBitmap_FillRect(
    bitmap: number,
    left: number,
    top: number,
    width: number,
    height: number,
    argb: number,
  ): number;
  _FPDFBitmap_Destroy(bitmap: number): void;
  _FPDF_RenderPageBitmap(
    bitmap: number,
    page: number,
    left: number,
    top: number,
    width: number,
    height: number,
    rotate: number,
    flags: number,
  ): void;
}

/** TypeScript declares WebAssembly only in the DOM's library. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: object };
};

interface Imports {
  readonly env: { emscripten_resize_heap(bytes: number): boolean };
}

type Factory = (options: {
  readonly instantiateWasm: (imports: Imports, done: (instance: object, module: object) => void) => object;
  readonly print: (line: string) => void;
  readonly printErr: (line: string) => void;
}) => Promise<{ readonly pdfium: Pdfium }>;

const compiled = new WebAssembly.Module(
  readFileSync(createRequire(import.meta.url).resolve('@embedpdf/pdfium/pdfium.wasm')),
);

/** An instance of PDFium, whose memory can be put back to an earlier state. */
export interface PdfiumInstance {
  readonly pdfium: Pdfium;
  /** Whether PDFium needed more memory than it may have. Its results since then may be incomplete. */
  readonly isOutOfMemory: boolean;
  /** The bytes of the memory now, without the zeros at its end. */
  save(): Uint8Array;
  /** Puts the memory back, also to that of another instance. Pointers that were valid when it was saved are valid again, and no others. */
  restore(saved: Uint8Array): void;
  /** Bytes of the memory, which never shrinks. */
  readonly memoryBytes: number;
}

/**
 * Creates an instance.
 *
 * @param maxMemoryBytes - limit of its memory; PDFium traps, or draws less, where it gets no more
 */
export async function createPdfium(maxMemoryBytes: number): Promise<PdfiumInstance> {
  let isOutOfMemory = false;
  let grow = (_bytes: number) => false;
  const { pdfium } = await (init as unknown as Factory)({
    instantiateWasm(imports, done) {
      const { env } = imports;
      grow = env.emscripten_resize_heap;
      env.emscripten_resize_heap = (bytes) => {
        if (bytes >>> 0 <= maxMemoryBytes && grow(bytes)) return true;
        isOutOfMemory = true;
        return false;
      };
      const instance = new WebAssembly.Instance(compiled, imports);
      done(instance, compiled);
      return instance.exports;
    },
    print() {},
    printErr() {},
  });
  // 0: the defaults, as in FPDF_InitLibrary.
  pdfium._FPDF_InitLibraryWithConfig(0);
  return {
    pdfium,
    get isOutOfMemory() {
      return isOutOfMemory;
    },
    save() {
      const words = new Float64Array(pdfium.HEAPU8.buffer);
      let length = words.length;
      // Bits, not values: −0 is not zero bytes.
      while (length > 0 && Object.is(words[length - 1], 0)) length--;
      return pdfium.HEAPU8.slice(0, length * words.BYTES_PER_ELEMENT);
    },
    restore(saved) {
      if (pdfium.HEAPU8.length < saved.length) grow(saved.length);
      pdfium.HEAPU8.set(saved);
      pdfium.HEAPU8.fill(0, saved.length);
      isOutOfMemory = false;
    },
    get memoryBytes() {
      return pdfium.HEAPU8.length;
    },
  };
}
