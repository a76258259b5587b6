import type { BigIntStats } from 'node:fs';

/** A file that a job reads. */
export interface SourceFile {
  /** Absolute. Bytes that are not UTF-8 are encoded as in file-names.ts. */
  readonly path: string;
  readonly bytes: number;
  /** When it was last changed, in milliseconds since 1970. */
  readonly mtimeMs: number;
  /** Device and inode: the same for all names of one file. */
  readonly id: string;
}

/** Where an image of a job comes from: a file, or a URL that the processor downloads. */
export type JobSource = SourceFile | { readonly url: string };

/** A page of a document. */
export interface JobPage {
  /** From 1. */
  readonly number: number;
  /** How many pages the document has. */
  readonly of: number;
}

/** One image of a job before its output has a name. */
export interface FoundImage {
  readonly source: JobSource;
  /** The base of the output's name: a relative path with `/`, possibly with an ending. */
  readonly name: string;
  /** Whether the caller gave `name`; a dot in it does not begin an ending. */
  readonly isGivenName: boolean;
  /** Whether a search found it, and the caller did not name it. */
  readonly isMatched?: boolean;
  /** The image's format by its first bytes, for a file whose ending is not an image's. */
  readonly format?: string;
  /** The row of a list that names it. */
  readonly row?: ListRow;
  /** Of a document. */
  readonly page?: JobPage;
}

/** The position of an image in a list. */
export interface ListRow {
  readonly list: string;
  /** From 1. */
  readonly line: number;
}

/** One image of a job. */
export interface JobImage {
  readonly source: JobSource;
  /** The output's path in the output folder, with `/`. */
  readonly output: string;
  /** Of a document. */
  readonly page?: JobPage;
}

/** A file or folder that a search found and that is not an image. */
export interface Skipped {
  readonly path: string;
  /** One phrase, such as `text` or `broken link`. */
  readonly kind: string;
}

/** The failure of an image. A row of failures.jsonl. */
export interface JobFailure {
  /** The absolute path or the URL; for a row of a list that was refused, its text. */
  readonly source: string;
  /** Of a document; unset for a failure of the whole document. */
  readonly page?: number;
  /** Stable: docs/errors.md lists the service's, docs/cli.md the client's own. */
  readonly reason: string;
  readonly message: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** The gRPC status code. */
  readonly code: number;
  /** Whether the same image may succeed later without a change of the command. */
  readonly retryable: boolean;
}

/** The name of a source: the path or the URL. */
export function nameOfSource(source: JobSource): string {
  return 'url' in source ? source.url : source.path;
}

/** Names an image for people: its source, and its page as `#p3`. The same for no other image of a job. */
export function nameOfImage({ source, page }: Pick<JobImage, 'source' | 'page'>): string {
  return nameOfPage(nameOfSource(source), page?.number);
}

/** A source by its name, with a page of it. */
export function nameOfPage(source: string, page: number | undefined): string {
  return page === undefined ? source : `${source}#p${page}`;
}

/** The members of a line that name its image. */
export function imageMembers({ source, page }: Pick<JobImage, 'source' | 'page'>) {
  return { source: nameOfSource(source), ...(page !== undefined && { page: page.number }) };
}

/** Names a file by device and inode. */
export function idOf({ dev, ino }: BigIntStats): string {
  return `${dev}:${ino}`;
}

/** A file as a source. */
export function sourceFile(path: string, stats: BigIntStats): SourceFile {
  return { path, bytes: Number(stats.size), mtimeMs: mtimeOf(stats), id: idOf(stats) };
}

/** When a file was last changed, in milliseconds since 1970, with fractions. */
export function mtimeOf({ mtimeNs }: BigIntStats): number {
  return Number(mtimeNs) / 1e6;
}
