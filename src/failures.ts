/**
 * Every way in which a request can fail: its stable reason, the gRPC status code of the processor's
 * response, the HTTP status of the API's, and whether the request can be retried. docs/errors.md explains
 * each row.
 *
 * A `Failure`'s message is for the caller: it gives the limit and the actual value and says what to do
 * next. A library's own text goes into `cause`, to the log, and never over the wire: decoders have
 * leaked addresses and paths that way.
 */

/** The gRPC status codes in use, by their names in google.rpc.Code. */
export const grpcCode = {
  CANCELLED: 1,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  UNAUTHENTICATED: 16,
} as const;

interface FailureKind {
  readonly code: (typeof grpcCode)[keyof typeof grpcCode];
  /** HTTP status. */
  readonly status: number;
  /** Whether the same request, sent again later, can succeed without anybody changing it. */
  readonly isRetryable: boolean;
  /** The title of the problem (RFC 9457): the same words for every case of one reason. */
  readonly title: string;
}

const { INVALID_ARGUMENT, RESOURCE_EXHAUSTED, FAILED_PRECONDITION, DEADLINE_EXCEEDED } = grpcCode;

/** reason → gRPC code, HTTP status and title. */
export const failureKinds = {
  SOURCE_MISSING: { code: INVALID_ARGUMENT, status: 400, isRetryable: false, title: 'No image was sent' },
  SOURCE_AMBIGUOUS: {
    code: INVALID_ARGUMENT,
    status: 400,
    isRetryable: false,
    title: 'More than one image was sent',
  },
  SOURCE_EMPTY: { code: INVALID_ARGUMENT, status: 400, isRetryable: false, title: 'The image has no bytes' },
  SOURCE_UNKNOWN: {
    code: grpcCode.NOT_FOUND,
    status: 404,
    isRetryable: false,
    title: 'No cached response has a source with this SHA-256',
  },
  SOURCE_BYTES_OVER_LIMIT: {
    code: RESOURCE_EXHAUSTED,
    status: 413,
    isRetryable: false,
    title: 'The image has too many bytes',
  },
  SOURCE_PIXELS_OVER_LIMIT: {
    code: INVALID_ARGUMENT,
    status: 422,
    isRetryable: false,
    title: 'The image has too many pixels',
  },
  SOURCE_PASSES_OVER_LIMIT: {
    code: INVALID_ARGUMENT,
    status: 422,
    isRetryable: false,
    title: 'The image consists of too many parts',
  },
  SOURCE_MEMORY_OVER_LIMIT: {
    code: RESOURCE_EXHAUSTED,
    status: 413,
    isRetryable: false,
    title: 'The image takes too much memory',
  },
  FORMAT_UNSUPPORTED: {
    code: INVALID_ARGUMENT,
    status: 415,
    isRetryable: false,
    title: 'The image format is not supported',
  },
  IMAGE_CORRUPT: {
    code: INVALID_ARGUMENT,
    status: 422,
    isRetryable: false,
    title: 'The image cannot be decoded',
  },
  DOCUMENT_EMPTY: {
    code: INVALID_ARGUMENT,
    status: 422,
    isRetryable: false,
    title: 'The document has no pages',
  },
  DOCUMENT_PASSWORD_REQUIRED: {
    code: INVALID_ARGUMENT,
    status: 422,
    isRetryable: false,
    title: 'The document is encrypted and needs its password',
  },
  DOCUMENT_PASSWORD_WRONG: {
    code: INVALID_ARGUMENT,
    status: 422,
    isRetryable: false,
    title: 'The password is not that of the document',
  },
  PAGE_OUT_OF_RANGE: {
    code: INVALID_ARGUMENT,
    status: 422,
    isRetryable: false,
    title: 'The document has no such page',
  },
  OPTION_INVALID: {
    code: INVALID_ARGUMENT,
    status: 400,
    isRetryable: false,
    title: 'An option has a value that is not allowed',
  },
  OPTION_UNKNOWN: {
    code: INVALID_ARGUMENT,
    status: 400,
    isRetryable: false,
    title: 'There is no such option',
  },
  OUTPUT_BYTES_OVER_LIMIT: {
    code: INVALID_ARGUMENT,
    status: 400,
    isRetryable: false,
    title: 'The response would have too many bytes',
  },
  OUTPUT_PIXELS_OVER_LIMIT: {
    code: INVALID_ARGUMENT,
    status: 400,
    isRetryable: false,
    title: 'The output would have too many pixels',
  },

  PRESET_UNKNOWN: {
    code: grpcCode.NOT_FOUND,
    status: 404,
    isRetryable: false,
    title: 'There is no such preset',
  },
  PRESET_INVALID: {
    code: INVALID_ARGUMENT,
    status: 400,
    isRetryable: false,
    title: 'The preprocessor config cannot be read',
  },
  PRESET_UNSUPPORTED: {
    code: INVALID_ARGUMENT,
    status: 422,
    isRetryable: false,
    title: 'The preprocessor config asks for something that is not supported',
  },

  PAIRS_INVALID: {
    code: INVALID_ARGUMENT,
    status: 400,
    isRetryable: false,
    title: 'The images and the tensors are not pairs',
  },
  TENSOR_INVALID: {
    code: INVALID_ARGUMENT,
    status: 400,
    isRetryable: false,
    title: 'The tensor cannot be read',
  },
  TENSOR_NOT_FINITE: {
    code: INVALID_ARGUMENT,
    status: 422,
    isRetryable: false,
    title: 'The tensor has values that are not finite',
  },
  TENSOR_SHAPE_UNEXPLAINED: {
    code: INVALID_ARGUMENT,
    status: 422,
    isRetryable: false,
    title: 'No known preprocessing gives a tensor of this shape',
  },
  TENSOR_UNRELATED: {
    code: INVALID_ARGUMENT,
    status: 422,
    isRetryable: false,
    title: 'The tensor was not made of this image',
  },

  NUMERICS_UNSUPPORTED: {
    code: INVALID_ARGUMENT,
    status: 400,
    isRetryable: false,
    title: 'The preset is not computed with these numerics',
  },
  ASPECT_RATIO_OVER_LIMIT: {
    code: INVALID_ARGUMENT,
    status: 422,
    isRetryable: false,
    title: 'The image is too wide or too tall for the model',
  },
  PADDED_SIZE_EXCEEDED: {
    code: INVALID_ARGUMENT,
    status: 422,
    isRetryable: false,
    title: 'The image is larger than the size that the model pads it to',
  },
  IMAGE_TOO_SMALL: {
    code: INVALID_ARGUMENT,
    status: 422,
    isRetryable: false,
    title: 'The image is too small for the model',
  },
  IMAGE_SIZE_INDIVISIBLE: {
    code: INVALID_ARGUMENT,
    status: 422,
    isRetryable: false,
    title: 'The image cannot be cut into whole patches',
  },

  BATCH_SHAPES_UNEQUAL: {
    code: INVALID_ARGUMENT,
    status: 400,
    isRetryable: false,
    title: 'The images of the batch have different shapes',
  },

  CONTENT_TYPE_UNSUPPORTED: {
    code: INVALID_ARGUMENT,
    status: 415,
    isRetryable: false,
    title: 'The content type is not supported',
  },
  MULTIPART_INVALID: {
    code: INVALID_ARGUMENT,
    status: 400,
    isRetryable: false,
    title: 'The multipart body cannot be parsed',
  },
  JSON_INVALID: {
    code: INVALID_ARGUMENT,
    status: 400,
    isRetryable: false,
    title: 'The JSON body cannot be parsed',
  },
  MESSAGE_INVALID: {
    code: INVALID_ARGUMENT,
    status: 400,
    isRetryable: false,
    title: 'The message cannot be read',
  },
  COMPRESSION_UNSUPPORTED: {
    code: grpcCode.UNIMPLEMENTED,
    status: 415,
    isRetryable: false,
    title: 'Compressed messages are not supported',
  },
  REQUEST_INVALID: {
    code: INVALID_ARGUMENT,
    status: 400,
    isRetryable: false,
    title: 'The request does not follow its protocol',
  },
  REQUEST_TIMEOUT: {
    code: DEADLINE_EXCEEDED,
    status: 408,
    isRetryable: true,
    title: 'The request arrived too slowly',
  },
  CHUNK_EXTENSIONS_TOO_LARGE: {
    code: INVALID_ARGUMENT,
    status: 413,
    isRetryable: false,
    title: 'The chunk extensions of the body are too long',
  },
  EXPECTATION_UNSUPPORTED: {
    code: INVALID_ARGUMENT,
    status: 417,
    isRetryable: false,
    title: 'Only the expectation 100-continue is supported',
  },
  HEADERS_TOO_LARGE: {
    code: INVALID_ARGUMENT,
    status: 431,
    isRetryable: false,
    title: 'The request headers are too long',
  },
  ROUTE_UNKNOWN: {
    code: grpcCode.UNIMPLEMENTED,
    status: 404,
    isRetryable: false,
    title: 'There is nothing at this path',
  },
  METHOD_NOT_ALLOWED: {
    code: grpcCode.UNIMPLEMENTED,
    status: 405,
    isRetryable: false,
    title: 'This path does not support this method',
  },

  UNAUTHENTICATED: {
    code: grpcCode.UNAUTHENTICATED,
    status: 401,
    isRetryable: false,
    title: 'The caller is not known here',
  },
  SIGNATURE_INVALID: {
    code: grpcCode.PERMISSION_DENIED,
    status: 403,
    isRetryable: false,
    title: 'The signature is not that of this link',
  },
  LINK_EXPIRED: {
    code: grpcCode.PERMISSION_DENIED,
    status: 403,
    isRetryable: false,
    title: 'The link has expired',
  },
  RATE_LIMITED: {
    code: RESOURCE_EXHAUSTED,
    status: 429,
    isRetryable: true,
    title: 'The key sends too many requests',
  },

  URL_INVALID: { code: INVALID_ARGUMENT, status: 400, isRetryable: false, title: 'Not a URL' },
  URL_SCHEME_UNSUPPORTED: {
    code: INVALID_ARGUMENT,
    status: 400,
    isRetryable: false,
    title: 'Only http, https and s3 URLs are supported',
  },
  URL_ADDRESS_FORBIDDEN: {
    code: grpcCode.PERMISSION_DENIED,
    status: 403,
    isRetryable: false,
    title: 'The URL leads to an address that is not public',
  },
  SOURCE_OPTED_OUT: {
    code: grpcCode.PERMISSION_DENIED,
    status: 403,
    isRetryable: false,
    title: 'The image may not be used for machine learning',
  },
  BUCKET_FORBIDDEN: {
    code: grpcCode.PERMISSION_DENIED,
    status: 403,
    isRetryable: false,
    title: 'The object may not be a source',
  },
  STORAGE_FAILED: {
    code: FAILED_PRECONDITION,
    status: 502,
    isRetryable: true,
    title: 'The service cannot use its object storage',
  },
  ORIGIN_UNRESOLVED: {
    code: FAILED_PRECONDITION,
    status: 502,
    isRetryable: true,
    title: "The URL's host has no address",
  },
  ORIGIN_UNREACHABLE: {
    code: FAILED_PRECONDITION,
    status: 502,
    isRetryable: true,
    title: "The URL's host cannot be reached",
  },
  ORIGIN_STATUS: {
    code: FAILED_PRECONDITION,
    status: 502,
    isRetryable: false,
    title: "The URL's host did not send an image",
  },
  ORIGIN_BUSY: {
    code: grpcCode.UNAVAILABLE,
    status: 503,
    isRetryable: true,
    title: "The URL's host asks to try again later",
  },
  ORIGIN_REDIRECTS_OVER_LIMIT: {
    code: FAILED_PRECONDITION,
    status: 502,
    isRetryable: false,
    title: 'The URL redirects too often',
  },
  ORIGIN_TIMEOUT: {
    code: DEADLINE_EXCEEDED,
    status: 504,
    isRetryable: true,
    title: "The URL's host is too slow",
  },

  OVERLOADED: { code: RESOURCE_EXHAUSTED, status: 503, isRetryable: true, title: 'The processor is full' },
  STREAMS_OVER_LIMIT: {
    code: RESOURCE_EXHAUSTED,
    status: 429,
    isRetryable: true,
    title: 'Too many streams have no image in work',
  },
  STREAM_IDLE: {
    code: grpcCode.UNAVAILABLE,
    status: 408,
    isRetryable: true,
    title: 'The stream had no image in work for too long',
  },
  PROCESSOR_UNAVAILABLE: {
    code: grpcCode.UNAVAILABLE,
    status: 503,
    isRetryable: true,
    title: 'No processor can be reached',
  },
  DRAINING: {
    code: grpcCode.UNAVAILABLE,
    status: 503,
    isRetryable: true,
    title: 'The service is shutting down',
  },
  DEADLINE_EXCEEDED: {
    code: DEADLINE_EXCEEDED,
    status: 504,
    isRetryable: true,
    title: 'The request took too long',
  },
  CANCELLED: { code: grpcCode.CANCELLED, status: 499, isRetryable: true, title: 'The caller left' },
  WORKER_CRASHED: {
    code: grpcCode.INTERNAL,
    status: 500,
    isRetryable: true,
    title: 'The process that worked on the image crashed',
  },
  INTERNAL: {
    code: grpcCode.INTERNAL,
    status: 500,
    isRetryable: false,
    title: 'Internal error',
  },
} as const satisfies Record<string, FailureKind>;

/** A stable name of a way to fail; clients match on it. */
export type FailureReason = keyof typeof failureKinds;

/** The `domain` of the google.rpc.ErrorInfo that carries a failure over gRPC. */
export const failureDomain = 'image.v1';

/** Seconds that a caller should wait before it tries again, for the reasons that pass by themselves. */
export const retryAfterSeconds: { readonly [reason in FailureReason]?: number } = {
  OVERLOADED: 1,
  PROCESSOR_UNAVAILABLE: 2,
  DRAINING: 2,
  ORIGIN_BUSY: 5,
};

/** Seconds that a caller should wait: those of the failure itself, else those of its reason. */
export function retryAfterOf({ reason, metadata }: Pick<Failure, 'reason' | 'metadata'>): number | undefined {
  const own = metadata.retry_after_seconds;
  return own === undefined ? retryAfterSeconds[reason] : Number(own);
}

/** A request that fails for a reason in the table. Everything else that is thrown is INTERNAL. */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly reason: FailureReason;
  /** Values that a program may want: `limit`, `actual`, `option`, … */
  readonly metadata: Readonly<Record<string, string>>;
  /** Whether the same request, sent again later, can succeed. */
  readonly isRetryable: boolean;

  /** @param options.isRetryable - where this case differs from its reason's row in the table */
  constructor(
    reason: FailureReason,
    message: string,
    metadata: Readonly<Record<string, string | number>> = {},
    options?: ErrorOptions & { readonly isRetryable?: boolean | undefined },
  ) {
    // Quoted text of a caller may be cut within a character, which gRPC cannot send.
    super(message.toWellFormed(), options);
    this.reason = reason;
    this.isRetryable = options?.isRetryable ?? failureKinds[reason].isRetryable;
    this.metadata = Object.fromEntries(
      Object.entries(metadata).map(([key, value]) => [key, String(value).toWellFormed()]),
    );
  }
}

/**
 * Returns the result of `read`. A failure that it throws gets the name of the item that it is about: its message begins
 * with `what`, and its metadata contains `index`. Other errors pass unchanged.
 *
 * @param what - the item's name with its number, for example `Variant 3`
 * @param index - of the item, from 0
 */
export function withIndex<T>(what: string, index: number, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const { reason, message, metadata, cause, isRetryable } = error;
    throw new Failure(reason, `${what}: ${message}`, { ...metadata, index }, { cause, isRetryable });
  }
}

/** Whether a string, for example from the wire, is one of the table's reasons. */
export function isFailureReason(value: string): value is FailureReason {
  return Object.hasOwn(failureKinds, value);
}

/** The failure for an aborted signal: its reason if that is a Failure, else CANCELLED or DEADLINE_EXCEEDED. */
export function failureFromAbort(signal: AbortSignal): Failure {
  const reason: unknown = signal.reason;
  if (reason instanceof Failure) return reason;
  const isDeadline =
    reason instanceof Error &&
    (reason.name === 'TimeoutError' || ('code' in reason && reason.code === grpcCode.DEADLINE_EXCEEDED));
  if (isDeadline) {
    return new Failure(
      'DEADLINE_EXCEEDED',
      'The request was not done before its deadline.',
      {},
      { cause: reason },
    );
  }
  return new Failure('CANCELLED', 'The caller left before the response was ready.', {}, { cause: reason });
}
