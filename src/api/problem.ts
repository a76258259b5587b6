import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { type Failure, failureKinds, isFailureReason, retryAfterOf, retryAfterSeconds } from '../failures.ts';
import { publicFailure } from '../rpc-failures.ts';
import type { ApiContext } from './context.ts';

/** Where a problem's type leads: to its row in the table of failures. */
export const problemPath = '/problems';

/** What a caller is told of what was thrown, noted for the access log; its answer says when to come again. */
export function noteFailure(c: ApiContext, error: unknown): Failure {
  const failure = publicFailure(error);
  c.set('failure', failure);
  const retryAfter = retryAfterOf(failure);
  // In the answer itself, so that it is in whatever answer comes of this request.
  if (retryAfter !== undefined) c.res.headers.set('Retry-After', String(retryAfter));
  return failure;
}

/**
 * Answers with a failure as application/problem+json (RFC 9457), and notes it.
 *
 * The failure's own values stand under `metadata`, because some have the name of a standard member.
 */
export function writeProblem(c: ApiContext, error: unknown): Response {
  const failure = noteFailure(c, error);
  const { status, title } = failureKinds[failure.reason];
  if (failure.reason === 'METHOD_NOT_ALLOWED') c.header('Allow', failure.metadata.allowed);
  c.header('Content-Type', 'application/problem+json');
  c.header('Cache-Control', 'no-store');
  const problem = {
    type: `${problemPath}/${failure.reason}`,
    title,
    status,
    detail: failure.message,
    instance: c.get('requestId'),
    reason: failure.reason,
    retryable: failure.isRetryable,
    metadata: failure.metadata,
  };
  return c.body(JSON.stringify(problem), status as ContentfulStatusCode);
}

/** What a problem's type stands for: the same for all problems of a reason. */
export function describeProblem(reason: string) {
  if (!isFailureReason(reason)) return undefined;
  const { code, status, title, isRetryable } = failureKinds[reason];
  return {
    reason,
    title,
    status,
    grpc_code: code,
    retryable: isRetryable,
    retry_after_seconds: retryAfterSeconds[reason],
  };
}
