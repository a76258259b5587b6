/** Where an image of a job comes from. */
export type JobSource =
  /** A file: its absolute path, its length in bytes, and when it was last changed. */
  | { readonly path: string; readonly bytes: number; readonly mtimeMs: number }
  /** What the processor downloads. */
  | { readonly url: string };

/** One image of a job before its output has a name. */
export interface FoundImage {
  readonly source: JobSource;
  /** What the output's name is made of: a relative path with `/`, an ending perhaps. */
  readonly name: string;
  /** Whether `name` is the caller's word for it, in which a dot is no ending. */
  readonly isGivenName: boolean;
}

/** One image of a job. */
export interface JobImage {
  readonly source: JobSource;
  /** The output's path in the output folder, with `/`. */
  readonly output: string;
}

/** Why an image has no output. A row of failures.jsonl. */
export interface JobFailure {
  /** The absolute path or the URL; of a list's row that was refused, its text. */
  readonly source: string;
  /** Stable: docs/errors.md has the service's, docs/cli.md the client's own. */
  readonly reason: string;
  readonly message: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** The gRPC status code. */
  readonly code: number;
}

/** The name of a source: the path or the URL. */
export function nameOfSource(source: JobSource): string {
  return 'url' in source ? source.url : source.path;
}
