import { Failure, type FailureReason } from '../../failures.ts';

/** A failure as sent between processes, where an Error would lose its class. */
export interface WorkerFailure {
  readonly reason: FailureReason;
  readonly message: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly cause: string;
}

/** @throws the error itself if it is not a Failure, since it is then a bug and reported as one */
export function packFailure(error: unknown): { failure: WorkerFailure } {
  if (!(error instanceof Failure)) throw error;
  const { reason, message, metadata } = error;
  return { failure: { reason, message, metadata, cause: String(error.cause ?? '') } };
}

export function unpackFailure({ reason, message, metadata, cause }: WorkerFailure): Failure {
  return new Failure(reason, message, metadata, { cause });
}
