import { Code } from '@connectrpc/connect';
import { describe, expect, it } from 'vitest';
import {
  Failure,
  failureFromAbort,
  failureKinds,
  grpcCode,
  isFailureReason,
  retryAfterOf,
  retryAfterSeconds,
  withIndex,
} from '../src/failures.ts';

describe('failureKinds', () => {
  it('has gRPC’s own numbers', () => {
    expect(grpcCode).toEqual({
      CANCELLED: Code.Canceled,
      INVALID_ARGUMENT: Code.InvalidArgument,
      DEADLINE_EXCEEDED: Code.DeadlineExceeded,
      NOT_FOUND: Code.NotFound,
      ALREADY_EXISTS: Code.AlreadyExists,
      PERMISSION_DENIED: Code.PermissionDenied,
      RESOURCE_EXHAUSTED: Code.ResourceExhausted,
      FAILED_PRECONDITION: Code.FailedPrecondition,
      UNIMPLEMENTED: Code.Unimplemented,
      INTERNAL: Code.Internal,
      UNAVAILABLE: Code.Unavailable,
      UNAUTHENTICATED: Code.Unauthenticated,
    });
  });

  it('asks callers to wait exactly for reasons with a 503 that passes', () => {
    const passing = Object.entries(failureKinds)
      .filter(([, { status }]) => status === 503)
      .map(([reason]) => reason);
    expect(Object.keys(retryAfterSeconds).sort()).toEqual(passing.sort());
  });
});

describe('isRetryable', () => {
  it('is true for every reason with a 503 or a Retry-After', () => {
    for (const [reason, { status, isRetryable }] of Object.entries(failureKinds)) {
      if (status === 503 || status === 429) expect([reason, isRetryable]).toEqual([reason, true]);
    }
  });

  it('is the table’s, unless the failure itself overrides it', () => {
    expect(new Failure('ORIGIN_UNREACHABLE', '').isRetryable).toBe(true);
    expect(new Failure('ORIGIN_UNREACHABLE', '', {}, { isRetryable: false }).isRetryable).toBe(false);
    expect(new Failure('IMAGE_CORRUPT', '').isRetryable).toBe(false);
  });
});

describe(retryAfterOf, () => {
  it('is the failure’s own, else that of its reason, else undefined', () => {
    expect(retryAfterOf(new Failure('OVERLOADED', '', { retry_after_seconds: 7 }))).toBe(7);
    expect(retryAfterOf(new Failure('OVERLOADED', ''))).toBe(1);
    expect(retryAfterOf(new Failure('RATE_LIMITED', '', { retry_after_seconds: 1200 }))).toBe(1200);
    expect(retryAfterOf(new Failure('IMAGE_CORRUPT', ''))).toBeUndefined();
  });
});

describe(Failure, () => {
  it('keeps reason, message, cause, and metadata as text', () => {
    const cause = new Error('the library’s words');
    const failure = new Failure(
      'SOURCE_BYTES_OVER_LIMIT',
      'Too large.',
      { limit: 5, actual: '6' },
      { cause },
    );
    expect(failure).toMatchObject({
      name: 'Failure',
      reason: 'SOURCE_BYTES_OVER_LIMIT',
      message: 'Too large.',
      metadata: { limit: '5', actual: '6' },
    });
    expect(failure.cause).toBe(cause);
    expect(failure).toBeInstanceOf(Error);
  });

  it('contains only whole characters, even if its quoted text was cut within one', () => {
    const cut = '🙂'.slice(0, 1);
    const failure = new Failure('PRESET_UNKNOWN', `no ${cut}`, { actual: cut });
    expect(failure.message).toBe('no \ufffd');
    expect(failure.metadata).toEqual({ actual: '\ufffd' });
  });
});

describe(withIndex, () => {
  const thrownBy = (read: () => unknown): unknown => {
    try {
      return read();
    } catch (error) {
      return error;
    }
  };

  it('returns the result', () => {
    expect(withIndex('Variant 3', 3, () => 'read')).toBe('read');
  });

  it('adds the name of the item to a failure, and keeps the rest of it', () => {
    const cause = new Error('the library’s words');
    const failure = thrownBy(() =>
      withIndex('Variant 3', 3, () => {
        throw new Failure(
          'OPTION_INVALID',
          'width is "0".',
          { option: 'width' },
          { cause, isRetryable: true },
        );
      }),
    );
    expect(failure).toBeInstanceOf(Failure);
    expect(failure).toMatchObject({
      reason: 'OPTION_INVALID',
      message: 'Variant 3: width is "0".',
      metadata: { option: 'width', index: '3' },
      isRetryable: true,
    });
    expect((failure as Failure).cause).toBe(cause);
  });

  it('leaves all other errors unchanged', () => {
    const error = new TypeError('not ours');
    const thrown = thrownBy(() =>
      withIndex('Variant 3', 3, () => {
        throw error;
      }),
    );
    expect(thrown).toBe(error);
  });
});

describe(isFailureReason, () => {
  it('accepts the reasons of the table, and no inherited property of objects', () => {
    expect(isFailureReason('IMAGE_CORRUPT')).toBe(true);
    expect(isFailureReason('image_corrupt')).toBe(false);
    expect(isFailureReason('toString')).toBe(false);
    expect(isFailureReason('')).toBe(false);
  });
});

describe(failureFromAbort, () => {
  const reasonOf = (reason: unknown) => failureFromAbort(AbortSignal.abort(reason)).reason;

  it('is the signal’s own reason if that is a failure', () => {
    const failure = new Failure('ORIGIN_TIMEOUT', 'Too slow.');
    expect(failureFromAbort(AbortSignal.abort(failure))).toBe(failure);
  });

  it('is CANCELLED for a caller that left', () => {
    expect(reasonOf(undefined)).toBe('CANCELLED');
    expect(reasonOf('gone')).toBe('CANCELLED');
    expect(reasonOf(Object.assign(new Error('canceled'), { code: Code.Canceled }))).toBe('CANCELLED');
  });

  it('is DEADLINE_EXCEEDED for a time-out, Node’s and Connect’s', async () => {
    const signal = AbortSignal.timeout(1);
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    expect(failureFromAbort(signal).reason).toBe('DEADLINE_EXCEEDED');
    const deadline = Object.assign(new Error('the operation timed out'), { code: Code.DeadlineExceeded });
    expect(reasonOf(deadline)).toBe('DEADLINE_EXCEEDED');
  });
});
