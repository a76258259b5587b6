import { create } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import { ErrorInfoSchema } from '../../gen/google/rpc/error_details_pb.ts';
import { Failure, failureDomain, failureFromAbort, failureKinds, isFailureReason } from '../failures.ts';

/**
 * The failure that a caller gets for any thrown value. Everything but a `Failure` becomes INTERNAL, because
 * ConnectError.from() would put a library's raw text on the wire.
 */
export function publicFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  return new Failure('INTERNAL', 'Something went wrong on our side; the log has it.', {}, { cause: error });
}

/** A failure as a gRPC status with a google.rpc.ErrorInfo, whose metadata also has `retryable`: "true" or "false". */
export function toConnectError(error: unknown): ConnectError {
  const failure = publicFailure(error);
  return new ConnectError(
    failure.message,
    failureKinds[failure.reason].code,
    undefined,
    [
      {
        desc: ErrorInfoSchema,
        value: create(ErrorInfoSchema, {
          reason: failure.reason,
          domain: failureDomain,
          metadata: { ...failure.metadata, retryable: String(failure.isRetryable) },
        }),
      },
    ],
    failure,
  );
}

/**
 * The error for the wire, with a reason of ours. A status that a method has chosen stays as it is, for example NOT_FOUND
 * of the health service. An abort comes from Connect and gets a reason.
 */
export function wireError(error: unknown): ConnectError {
  if (!(error instanceof ConnectError)) return toConnectError(error);
  const isAbort = error.code === Code.DeadlineExceeded || error.code === Code.Canceled;
  if (!isAbort || failureFromConnectError(error) !== undefined) return error;
  return toConnectError(failureFromAbort(AbortSignal.abort(error)));
}

/** The failure in a gRPC status, if the other side put one there. */
export function failureFromConnectError(error: ConnectError): Failure | undefined {
  for (const info of error.findDetails(ErrorInfoSchema)) {
    if (info.domain === failureDomain && isFailureReason(info.reason)) {
      const { retryable, ...metadata } = info.metadata;
      // Absent where the other side is of an older version: the table decides.
      const isRetryable = retryable === undefined ? undefined : retryable === 'true';
      return new Failure(info.reason, error.rawMessage, metadata, { cause: error, isRetryable });
    }
  }
  return undefined;
}
