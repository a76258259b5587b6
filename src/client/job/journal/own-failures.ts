import { failureKinds, grpcCode } from '../../../failures.ts';
import { codeOf, wordsOf } from '../../files.ts';
import type { JobFailure } from '../images.ts';

/** The client's own reasons of failures, each with its gRPC status code. docs/cli.md describes them. */
const ownReasons = {
  INPUT_MISSING: grpcCode.NOT_FOUND,
  INPUT_UNREADABLE: grpcCode.INTERNAL,
  ROW_INVALID: grpcCode.INVALID_ARGUMENT,
  SOURCE_MISSING: failureKinds.SOURCE_MISSING.code,
  PAGE_OUT_OF_RANGE: failureKinds.PAGE_OUT_OF_RANGE.code,
  PATH_FORBIDDEN: grpcCode.PERMISSION_DENIED,
  NAME_FORBIDDEN: grpcCode.PERMISSION_DENIED,
  OUTPUT_EXISTS: grpcCode.ALREADY_EXISTS,
  OUTPUT_IS_SOURCE: grpcCode.FAILED_PRECONDITION,
  OUTPUT_UNWRITABLE: grpcCode.INTERNAL,
} as const;

export type OwnReason = keyof typeof ownReasons;

/** A failure for one of the client's own reasons, without its source. */
export function ownFailure(
  reason: OwnReason,
  message: string,
  metadata: Readonly<Record<string, string>> = {},
): Omit<JobFailure, 'source'> {
  return { reason, message, metadata, code: ownReasons[reason], retryable: false };
}

/** The failure of a file that cannot be read, without its source. */
export function inputFailure(error: unknown): Omit<JobFailure, 'source'> {
  const reason = codeOf(error) === 'ENOENT' ? 'INPUT_MISSING' : 'INPUT_UNREADABLE';
  return ownFailure(reason, `The file cannot be read: ${wordsOf(error)}.`);
}
