import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { failureKinds, isFailureReason, retryAfterSeconds } from '../failures.ts';
import { publicFailure } from '../rpc-failures.ts';
import type { ApiContext } from './context.ts';

/** Where a problem's type leads: to its row in the table of failures. */
export const problemPath = '/problems';

/**
 * Answers with a failure as application/problem+json (RFC 9457), and notes it for the access log.
 *
 * The failure's own values stand under `metadata`, because some have the name of a standard member.
 */
export function writeProblem(c: ApiContext, error: unknown): Response {
  const failure = publicFailure(error);
  c.set('failure', failure);
  const { status, title } = failureKinds[failure.reason];
  const retryAfter = failure.metadata.retry_after_s ?? retryAfterSeconds[failure.reason];
  if (retryAfter !== undefined) c.header('Retry-After', String(retryAfter));
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
    metadata: failure.metadata,
  };
  return c.body(JSON.stringify(problem), status as ContentfulStatusCode);
}

/** What a problem's type stands for: the same for all problems of a reason. */
export function describeProblem(reason: string) {
  if (!isFailureReason(reason)) return undefined;
  const { code, status, title } = failureKinds[reason];
  return { reason, title, status, grpc_code: code, retry_after_seconds: retryAfterSeconds[reason] };
}
