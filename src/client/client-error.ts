/** The exits of the client; their meanings are part of `--help`. */
export const exitCodes = {
  done: { code: 0, meaning: 'done' },
  skewed: {
    code: 1,
    meaning:
      'a tensor differs from the expected one, by more than the tolerance where one is given; or a pair of a list (--check) could not be compared',
  },
  someFailed: {
    code: 1,
    meaning:
      'some images failed (or files were skipped, with --strict); failures.jsonl in the output folder lists the reasons',
  },
  incomplete: {
    code: 1,
    meaning:
      'the corpus is incomplete or damaged, or (--max-failed) too many rows failed; the output says which shards',
  },
  somethingWrong: { code: 1, meaning: 'a check failed; the output says what to do next' },
  unexpected: { code: 1, meaning: 'an unexpected error' },
  usage: {
    code: 2,
    meaning:
      'bad usage: an unknown flag, a bad value, a missing input file, an output that is its own source',
  },
  refused: { code: 3, meaning: "refused because of the image, its URL's host or the request" },
  unavailable: {
    code: 4,
    meaning: 'the service cannot be reached, is full or is too slow; try again later',
  },
  files: { code: 5, meaning: 'a file cannot be read or written' },
  diskFull: { code: 6, meaning: 'the disk is full' },
  mixed: {
    code: 7,
    meaning: 'the output folder, or the corpus, is of another preset, job or numerics version',
  },
  interrupted: { code: 130, meaning: 'interrupted by Ctrl+C (143: by SIGTERM)' },
} as const satisfies Record<string, { code: number; meaning: string }>;

/** An error that ends the client: one line on standard error, and an exit code. */
export class ClientError extends Error {
  override readonly name = 'ClientError';
  readonly end: keyof typeof exitCodes;
  /** The service's reason, else one of the client's, in capitals and underscores. */
  readonly reason: string;

  constructor(end: keyof typeof exitCodes, reason: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.end = end;
    this.reason = reason;
  }
}
