import type { BigIntStats } from 'node:fs';

/** A file that a job reads. */
export interface SourceFile {
  /** Absolute; a name that is not UTF-8 as file-names.ts has it. */
  readonly path: string;
  readonly bytes: number;
  /** When it was last changed, in milliseconds since 1970. */
  readonly mtimeMs: number;
  /** Device and inode: the same for all names of one file. */
  readonly id: string;
}

/** Where an image of a job comes from: a file, or a URL that the processor downloads. */
export type JobSource = SourceFile | { readonly url: string };

/** One image of a job before its output has a name. */
export interface FoundImage {
  readonly source: JobSource;
  /** What the output's name is made of: a relative path with `/`, possibly with an ending. */
  readonly name: string;
  /** Whether `name` is the caller's own, in which a dot begins no ending. */
  readonly isGivenName: boolean;
  /** Whether a search has met it, and the caller has not named it. */
  readonly isMatched?: boolean;
  /** The image's format by its first bytes, for a file whose ending is not an image's. */
  readonly format?: string;
  /** The row of a list that it comes from. */
  readonly row?: ListRow;
}

/** Where a list names an image. */
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
}

/** A file or folder that a search met and that is no image of the job. */
export interface Skipped {
  readonly path: string;
  /** In a few words, such as `text` or `broken link`. */
  readonly kind: string;
}

/** Why an image has no output. A row of failures.jsonl. */
export interface JobFailure {
  /** The absolute path or the URL; for a row of a list that was refused, its text. */
  readonly source: string;
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
