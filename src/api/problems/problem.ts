import type { ContentfulStatusCode } from 'hono/utils/http-status';
import {
  Failure,
  type FailureReason,
  failureKinds,
  retryAfterOf,
  retryAfterSeconds,
} from '../../failures.ts';
import { publicFailure } from '../../grpc/rpc-failures.ts';
import { inOptionNames } from '../../options/option-names.ts';
import type { ApiContext } from '../context.ts';
import { failureTexts, metadataMembers } from './failure-texts.ts';
import { type ProblemExample, problemExamples } from './problem-examples.ts';

/** The path of problem types, which describe the rows of the table of failures. */
export const problemPath = '/problems';

/** The X-Request-Id of examples. */
const exampleRequestId = '6f0a3c1e-7b5d-4b0e-9a86-2d1f5c3e8b47';

/** The failure that the caller gets for any thrown value. Records it for the access log. */
export function noteFailure(c: ApiContext, error: unknown): Failure {
  const failure = publicFailure(error);
  c.set('failure', failure);
  return failure;
}

/** The failure that a caller over HTTP gets for any thrown value: in the names of the options. */
export function httpFailure(error: unknown): Failure {
  return inOptionNames(publicFailure(error));
}

/**
 * Responds with a failure as application/problem+json (RFC 9457), and records it for the access log.
 *
 * The failure's own values are members of `metadata`, because some have the name of a standard member.
 */
export function writeProblem(c: ApiContext, error: unknown): Response {
  const failure = noteFailure(c, httpFailure(error));
  const { status, headers, body } = problemOf(failure, c.get('requestId'));
  for (const [name, value] of Object.entries(headers)) c.header(name, value);
  return c.body(body, status as ContentfulStatusCode);
}

/** A failure as a response. */
export interface Problem {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export function problemOf(failure: Failure, requestId: string): Problem {
  const { status, title } = failureKinds[failure.reason];
  const { allowed } = failure.metadata;
  const retryAfter = retryAfterOf(failure);
  return {
    status,
    headers: {
      'Content-Type': 'application/problem+json',
      'Cache-Control': 'no-store',
      ...(failure.reason === 'METHOD_NOT_ALLOWED' && allowed !== undefined && { Allow: allowed }),
      ...(retryAfter !== undefined && { 'Retry-After': String(retryAfter) }),
    },
    body: JSON.stringify({
      type: `${problemPath}/${failure.reason}`,
      title,
      status,
      detail: failure.message,
      instance: requestId,
      reason: failure.reason,
      retryable: failure.isRetryable,
      metadata: failure.metadata,
    }),
  };
}

/** The description of a problem type, for programs. It is the same for all problems of a reason. */
export function describeProblem(reason: FailureReason) {
  const { code, status, title, isRetryable } = failureKinds[reason];
  const { meaning, advice } = failureTexts[reason];
  const said = problemExamples[reason];
  return {
    reason,
    title,
    status,
    grpc_code: code,
    retryable: isRetryable,
    retry_after_seconds: retryAfterSeconds[reason],
    meaning: meaning.replaceAll('`', ''),
    advice: advice.replaceAll('`', ''),
    metadata: Object.fromEntries(
      Object.keys(said?.metadata ?? {}).map((name) => [name, metadataMembers[name] ?? '']),
    ),
    example: said && exampleOf(reason, said),
  };
}

/** The example of a reason as its problem. */
export function exampleOf(reason: FailureReason, { detail, metadata }: ProblemExample) {
  const problem = problemOf(new Failure(reason, detail, metadata), exampleRequestId);
  return JSON.parse(problem.body) as Record<string, unknown>;
}
