import { Failure, type FailureReason } from '../../failures.ts';

/** A failure on its way between processes, where an Error would lose its class. */
export interface WorkerFailure {
  readonly reason: FailureReason;
  readonly message: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly cause: string;
}

/** @throws the error itself where it is no Failure: that is a bug, and told as one */
export function packFailure(error: unknown): { failure: WorkerFailure } {
  if (!(error instanceof Failure)) throw error;
  const { reason, message, metadata } = error;
  return { failure: { reason, message, metadata, cause: String(error.cause ?? '') } };
}

export function unpackFailure({ reason, message, metadata, cause }: WorkerFailure): Failure {
  return new Failure(reason, message, metadata, { cause });
}
