import { type FailureReason, failureKinds } from '../../failures.ts';
import type { ApiConfig } from '../config.ts';
import { exampleOf, problemPath } from '../problems/problem.ts';
import { problemExamples } from '../problems/problem-examples.ts';
import type { JsonObject } from './json-object.ts';

/** Reasons with which a request for an image never fails: those of other interfaces, of paths, of HTTP itself. */
const notOfImages: readonly FailureReason[] = [
  'MESSAGE_INVALID',
  'COMPRESSION_UNSUPPORTED',
  'REQUEST_INVALID',
  'REQUEST_TIMEOUT',
  'CHUNK_EXTENSIONS_TOO_LARGE',
  'EXPECTATION_UNSUPPORTED',
  'HEADERS_TOO_LARGE',
  'ROUTE_UNKNOWN',
  'METHOD_NOT_ALLOWED',
  'CANCELLED',
  'DRAINING',
];

/** Reasons that occur only with API keys or signed links. */
const reasonsOfGate: readonly FailureReason[] = ['UNAUTHENTICATED', 'RATE_LIMITED'];
/** Reasons that occur only in streams over Connect or gRPC. */
const reasonsOfStreams: readonly FailureReason[] = ['STREAMS_OVER_LIMIT', 'STREAM_IDLE'];
/** Reasons that occur only with signed links. */
const reasonsOfLinks: readonly FailureReason[] = ['SIGNATURE_INVALID', 'LINK_EXPIRED'];

/** Reasons that occur only in comparisons. */
const reasonsOfSkew: readonly FailureReason[] = [
  'PAIRS_INVALID',
  'TENSOR_INVALID',
  'TENSOR_NOT_FINITE',
  'TENSOR_SHAPE_UNEXPLAINED',
  'TENSOR_UNRELATED',
];
/** Reasons that do not occur in comparisons: they take a form, several images, and no signed links. */
const notOfSkew: readonly FailureReason[] = [
  'SOURCE_AMBIGUOUS',
  'SOURCE_UNKNOWN',
  'JSON_INVALID',
  'BATCH_SHAPES_UNEQUAL',
];

/** References to headers of the document's components. */
export function headerRefs(names: readonly string[]): JsonObject {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}

/** The responses to a request for an image that fails. */
export function imageProblems(config: ApiConfig): JsonObject {
  return problemsExcept([...reasonsOfSkew, ...neverOf(config)]);
}

/** The responses to a comparison that fails. */
export function skewProblems(config: ApiConfig): JsonObject {
  return problemsExcept([...notOfSkew, ...reasonsOfLinks, ...neverOf(config)]);
}

function neverOf({ apiKeysFile, linkSecretsFile }: ApiConfig): readonly FailureReason[] {
  return [
    ...notOfImages,
    ...(apiKeysFile === undefined && linkSecretsFile === undefined ? reasonsOfGate : []),
    ...(linkSecretsFile === undefined ? reasonsOfLinks : []),
    ...reasonsOfStreams,
  ];
}

function problemsExcept(never: readonly FailureReason[]): JsonObject {
  const reasons = Object.keys(failureKinds) as FailureReason[];
  return problemResponses(reasons.filter((reason) => !never.includes(reason)));
}

/** The responses to a call of a processor without an image that fails. */
export function callProblems({ apiKeysFile, linkSecretsFile }: ApiConfig): JsonObject {
  return problemResponses([
    'OPTION_INVALID',
    'OPTION_UNKNOWN',
    ...(apiKeysFile === undefined && linkSecretsFile === undefined ? [] : reasonsOfGate),
    ...(linkSecretsFile === undefined ? [] : reasonsOfLinks),
    'OVERLOADED',
    'PROCESSOR_UNAVAILABLE',
    'DEADLINE_EXCEEDED',
    'INTERNAL',
  ]);
}

/** One response for each HTTP status of the reasons. */
export function problemResponses(reasons: readonly FailureReason[]): JsonObject {
  const byStatus = Map.groupBy(reasons, (reason) => failureKinds[reason].status);
  return Object.fromEntries(
    [...byStatus].map(([status, group]) => [
      status,
      {
        description: group.map((reason) => `${reason}: ${failureKinds[reason].title}`).join('. '),
        content: {
          'application/problem+json': {
            schema: { $ref: '#/components/schemas/Problem' },
            ...problemExamplesOf(group),
          },
        },
      },
    ]),
  );
}

function problemExamplesOf(reasons: readonly FailureReason[]): JsonObject {
  const known = reasons.flatMap((reason) => {
    const said = problemExamples[reason];
    return said === undefined
      ? []
      : [[reason, { summary: failureKinds[reason].title, value: exampleOf(reason, said) }] as const];
  });
  return known.length === 0 ? {} : { examples: Object.fromEntries(known) };
}

/** A failure (RFC 9457). */
export function problemSchema(): JsonObject {
  return {
    type: 'object',
    description: 'A failure (RFC 9457)',
    required: ['type', 'title', 'status', 'detail', 'instance', 'reason', 'retryable', 'metadata'],
    properties: {
      type: { type: 'string', format: 'uri-reference', description: `${problemPath}/ and the reason` },
      title: { type: 'string', description: 'The meaning of the reason' },
      status: { type: 'integer', description: 'The HTTP status' },
      detail: { type: 'string', description: 'The error of this request, and what to do next' },
      instance: { type: 'string', description: 'The X-Request-Id, which the log contains as well' },
      reason: {
        type: 'string',
        enum: Object.keys(failureKinds),
        description: 'Stable; programs match on it',
      },
      retryable: {
        type: 'boolean',
        description: 'Whether the same request can succeed later; wait for Retry-After if it is present',
      },
      metadata: {
        type: 'object',
        description: 'limit, actual, allowed, option and others, depending on the reason',
        additionalProperties: { type: 'string' },
      },
    },
  };
}
