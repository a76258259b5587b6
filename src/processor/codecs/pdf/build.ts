/**
 * The build of PDFium in `@hyzyla/pdfium`: the version of the package, and that of PDFium in it. It is part of every
 * cache key. A test compares it with the installed package.
 */
export const pdfiumBuild = '2.1.13+7243';
