import { create } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import { ErrorInfoSchema } from '../../gen/google/rpc/error_details_pb.ts';
import { Failure, failureDomain, failureFromAbort, failureKinds, isFailureReason } from '../failures.ts';

/**
 * What a caller is told of anything that was thrown. Only a `Failure` speaks for itself; everything else
 * is INTERNAL, because ConnectError.from() would put a library's raw text on the wire.
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
 * Whatever a call ends with, with a reason. A status that is not of our making stays as it is, as NOT_FOUND of the health
 * service; but an abort is Connect's own, and gets a reason.
 */
export function wireError(error: unknown): ConnectError {
  if (!(error instanceof ConnectError)) return toConnectError(error);
  const isAbort = error.code === Code.DeadlineExceeded || error.code === Code.Canceled;
  if (!isAbort || failureFromConnectError(error) !== undefined) return error;
  return toConnectError(failureFromAbort(AbortSignal.abort(error)));
}

/** The failure in a gRPC status, where the other side put one there. */
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
