/*
 * Memory for documents, in bytes. The process that serves gRPC imports these figures, so this file imports nothing.
 */

/** Limit of an instance of PDFium: 100 megapixels take 300 MB, and transparency as much again. */
export const maxMemoryBytes = 512 * 1024 * 1024;

/** An instance with more memory than this is dropped after a page, because its memory never shrinks. */
export const keptMemoryBytes = 64 * 1024 * 1024;

/** Limit of the parsed documents that are kept together. */
export const mostKeptBytes = 64 * 1024 * 1024;

/** Memory that a worker keeps for the next page, in addition to the memory of every worker. */
export const keptByWorkerBytes = keptMemoryBytes + mostKeptBytes;

/** The process of a worker for documents, which exists only while documents come. Measured: 137 MB after an A4 page at 144 dpi. */
export const workerBytes = 140_000_000;
