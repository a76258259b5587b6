import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { PDFiumModule } from '@hyzyla/pdfium';

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
}) => Promise<Pdfium>;

const compiled = new WebAssembly.Module(
  readFileSync(createRequire(import.meta.url).resolve('@hyzyla/pdfium/pdfium.wasm')),
);

/**
 * Creates an instance with memory of its own.
 *
 * @param mayGrowTo - whether the memory may grow to a number of bytes; PDFium ends with a trap if it may not
 */
export async function createPdfium(mayGrowTo: (bytes: number) => boolean): Promise<Pdfium> {
  const pdfium = await (PDFiumModule as unknown as Factory)({
    instantiateWasm(imports, done) {
      const { env } = imports;
      const grow = env.emscripten_resize_heap;
      env.emscripten_resize_heap = (bytes) => mayGrowTo(bytes >>> 0) && grow(bytes);
      const instance = new WebAssembly.Instance(compiled, imports);
      done(instance, compiled);
      return instance.exports;
    },
    print() {},
    printErr() {},
  });
  // 0: the defaults, as in FPDF_InitLibrary.
  pdfium._FPDF_InitLibraryWithConfig(0);
  return pdfium;
}
