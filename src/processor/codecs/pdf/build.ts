/**
 * The build of PDFium: the version of the package `@embedpdf/pdfium`, which contains it. It is part of every cache key.
 * A test compares it with the installed package.
 */
export const pdfiumBuild = '2.15.1';
