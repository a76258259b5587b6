/**
 * Failures of object storage, by stable names. They reach callers, logs and metrics; the SDK's own text does
 * not, since it quotes hosts, request ids and parts of credentials.
 */
const problems = {
  OBJECT_MISSING: { isRetryable: false, words: 'has no such object' },
  BUCKET_MISSING: { isRetryable: false, words: 'does not exist' },
  DENIED: { isRetryable: false, words: 'denies this to the credentials of the service' },
  CREDENTIALS_MISSING: { isRetryable: false, words: 'cannot be used, since no credentials were found' },
  CREDENTIALS_INVALID: {
    isRetryable: true,
    words: 'refuses the credentials of the service as expired or unknown',
  },
  CLOCK_SKEWED: { isRetryable: false, words: 'refuses the clock of the service as too far from its own' },
  REGION_WRONG: { isRetryable: false, words: 'is in another region than AWS_REGION, or at another endpoint' },
  REGION_MISSING: { isRetryable: false, words: 'cannot be used without a region; AWS_REGION is not set' },
  BYTES_OVER_LIMIT: { isRetryable: false, words: 'has more bytes in the object than are allowed' },
  CORRUPT: { isRetryable: true, words: 'received other bytes than were sent' },
  CONFLICT: { isRetryable: true, words: 'has another write to the same key under way' },
  UPLOAD_MISSING: { isRetryable: true, words: 'has removed the parts of an object that was being written' },
  THROTTLED: { isRetryable: true, words: 'asks for fewer requests' },
  BROKEN: { isRetryable: true, words: 'has an error of its own' },
  TIMEOUT: { isRetryable: true, words: 'does not respond in time' },
  DROPPED: { isRetryable: true, words: 'closed the connection in the middle of an object' },
  UNREACHABLE: { isRetryable: true, words: 'cannot be reached' },
  REFUSED: { isRetryable: false, words: 'does not do this' },
} as const satisfies Record<string, { isRetryable: boolean; words: string }>;

/** The stable name of a failure of object storage. */
export type StorageProblem = keyof typeof problems;

/** A failed call to object storage. Its message is a sentence for the caller; the SDK's error is its `cause`. */
export class StorageFailure extends Error {
  override readonly name = 'StorageFailure';
  readonly problem: StorageProblem;
  readonly bucket: string;
  /** HTTP status of the response, if there was one. */
  readonly status: number | undefined;
  /** Seconds that the storage asks to wait. */
  readonly retryAfterSeconds: number | undefined;
  /** Bytes of the object, at least, for BYTES_OVER_LIMIT. */
  readonly actual: number | undefined;
  /** Whether the same call can succeed later without a change by anybody. */
  readonly isRetryable: boolean;

  constructor(
    problem: StorageProblem,
    bucket: string,
    details: ErrorOptions & {
      readonly status?: number | undefined;
      readonly retryAfterSeconds?: number | undefined;
      readonly actual?: number;
    } = {},
  ) {
    super(`The bucket ${bucket} ${problems[problem].words}.`, details);
    this.problem = problem;
    this.bucket = bucket;
    this.status = details.status;
    this.retryAfterSeconds = details.retryAfterSeconds;
    this.actual = details.actual;
    this.isRetryable = problems[problem].isRetryable;
  }
}

/** The parts of an error of the SDK, of Node's sockets, and of files that may be there. */
interface SdkError {
  readonly name?: string;
  /** S3's own code, or Node's. */
  readonly Code?: string;
  readonly code?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
  readonly $response?: { readonly headers?: Readonly<Record<string, string>> };
}

/** S3's error codes: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#ErrorCodeList */
const problemsByCode: Readonly<Record<string, StorageProblem>> = {
  NoSuchKey: 'OBJECT_MISSING',
  NoSuchVersion: 'OBJECT_MISSING',
  NotFound: 'OBJECT_MISSING',
  NoSuchUpload: 'UPLOAD_MISSING',
  NoSuchBucket: 'BUCKET_MISSING',
  InvalidBucketName: 'BUCKET_MISSING',
  AccessDenied: 'DENIED',
  AllAccessDisabled: 'DENIED',
  AccountProblem: 'DENIED',
  InvalidObjectState: 'DENIED',
  MethodNotAllowed: 'REFUSED',
  ExpiredToken: 'CREDENTIALS_INVALID',
  ExpiredTokenException: 'CREDENTIALS_INVALID',
  TokenRefreshRequired: 'CREDENTIALS_INVALID',
  InvalidToken: 'CREDENTIALS_INVALID',
  InvalidAccessKeyId: 'CREDENTIALS_INVALID',
  SignatureDoesNotMatch: 'CREDENTIALS_INVALID',
  // versitygw's name for InvalidAccessKeyId.
  XAdminUserNotFound: 'CREDENTIALS_INVALID',
  CredentialsProviderError: 'CREDENTIALS_MISSING',
  TokenProviderError: 'CREDENTIALS_MISSING',
  RequestTimeTooSkewed: 'CLOCK_SKEWED',
  RequestExpired: 'CLOCK_SKEWED',
  AuthorizationHeaderMalformed: 'REGION_WRONG',
  PermanentRedirect: 'REGION_WRONG',
  TemporaryRedirect: 'REGION_WRONG',
  IllegalLocationConstraintException: 'REGION_WRONG',
  BadDigest: 'CORRUPT',
  InvalidDigest: 'CORRUPT',
  XAmzContentSHA256Mismatch: 'CORRUPT',
  XAmzContentChecksumMismatch: 'CORRUPT',
  IncompleteBody: 'DROPPED',
  ConditionalRequestConflict: 'CONFLICT',
  OperationAborted: 'CONFLICT',
  SlowDown: 'THROTTLED',
  ServiceUnavailable: 'THROTTLED',
  RequestLimitExceeded: 'THROTTLED',
  Throttling: 'THROTTLED',
  ThrottlingException: 'THROTTLED',
  TooManyRequestsException: 'THROTTLED',
  RequestTimeout: 'TIMEOUT',
  TimeoutError: 'TIMEOUT',
  ETIMEDOUT: 'TIMEOUT',
  ECONNRESET: 'DROPPED',
  EPIPE: 'DROPPED',
  ERR_STREAM_PREMATURE_CLOSE: 'DROPPED',
};

/** For responses without a body, as those to HEAD, and for codes that are not in the list. */
function problemOfStatus(status: number): StorageProblem {
  if (status === 404) return 'OBJECT_MISSING';
  if (status === 401 || status === 403) return 'DENIED';
  if (status === 409) return 'CONFLICT';
  if (status === 429 || status === 503) return 'THROTTLED';
  if (status === 408 || status === 504) return 'TIMEOUT';
  if (status >= 300 && status < 400) return 'REGION_WRONG';
  return status >= 500 ? 'BROKEN' : 'REFUSED';
}

function problemOf({ name, Code, code, $metadata }: SdkError, message: string): StorageProblem | undefined {
  // Before `name`: the SDK also calls a reset connection a TimeoutError.
  for (const known of [Code, code, name]) {
    if (known !== undefined && Object.hasOwn(problemsByCode, known)) return problemsByCode[known];
  }
  // The SDK has no name for this.
  if (message === 'Region is missing') return 'REGION_MISSING';
  if ($metadata?.httpStatusCode !== undefined) return problemOfStatus($metadata.httpStatusCode);
  return code === undefined ? undefined : 'UNREACHABLE';
}

/** Seconds of a Retry-After in digits. S3 and its servers send no dates. */
function retryAfterOf({ $response }: SdkError): number | undefined {
  const value = $response?.headers?.['retry-after'];
  return value !== undefined && /^\d{1,6}$/.test(value) ? Math.max(1, Number(value)) : undefined;
}

/** An error of the SDK as a failure; errors of this service are returned unchanged. */
export function storageFailureFrom(error: unknown, bucket: string): unknown {
  if (!(error instanceof Error) || error instanceof StorageFailure) return error;
  const parts: SdkError = error as SdkError;
  const problem = problemOf(parts, error.message);
  if (problem === undefined) return error;
  return new StorageFailure(problem, bucket, {
    status: parts.$metadata?.httpStatusCode,
    retryAfterSeconds: retryAfterOf(parts),
    cause: error,
  });
}
