import { Code, ConnectError } from '@connectrpc/connect';
import { describe, expect, it } from 'vitest';
import { ErrorInfoSchema } from '../../gen/google/rpc/error_details_pb.ts';
import { Failure, type FailureReason, failureKinds } from '../../src/failures.ts';
import { failureFromConnectError, publicFailure, toConnectError } from '../../src/grpc/rpc-failures.ts';

const secret = new Error('VipsJpeg: 0x7f3a in /usr/lib/libvips.so');

describe(publicFailure, () => {
  it('passes a failure through unchanged', () => {
    const failure = new Failure('IMAGE_CORRUPT', 'Cut off.');
    expect(publicFailure(failure)).toBe(failure);
  });

  it.each([secret, 'a string', undefined, null, new ConnectError('raw', Code.Internal)])(
    'makes INTERNAL of everything else, and keeps its words as the cause: %s',
    (error) => {
      const failure = publicFailure(error);
      expect(failure.reason).toBe('INTERNAL');
      expect(failure.message).toBe('Something went wrong on our side; the log has it.');
      expect(failure.metadata).toEqual({});
      expect(failure.cause).toBe(error);
    },
  );
});

describe(toConnectError, () => {
  it('gives the gRPC code of the table, the message, and a google.rpc.ErrorInfo', () => {
    const failure = new Failure('OPTION_INVALID', 'width is 0; allowed: 1.', { option: 'width', actual: 0 });
    const error = toConnectError(failure);
    expect(error.code).toBe(Code.InvalidArgument);
    expect(error.rawMessage).toBe('width is 0; allowed: 1.');
    expect(error.findDetails(ErrorInfoSchema)).toMatchObject([
      {
        reason: 'OPTION_INVALID',
        domain: 'image.v1',
        metadata: { option: 'width', actual: '0', retryable: 'false' },
      },
    ]);
  });

  it('reveals nothing of an unknown error', () => {
    const error = toConnectError(secret);
    expect(error.code).toBe(Code.Internal);
    expect(error.message).not.toContain('vips');
    expect(JSON.stringify(error.findDetails(ErrorInfoSchema))).not.toContain('vips');
  });
});

describe(failureFromConnectError, () => {
  it.each(Object.keys(failureKinds) as FailureReason[])('finds %s in what toConnectError made', (reason) => {
    const failure = new Failure(reason, 'Why.', { limit: 1 });
    const found = failureFromConnectError(toConnectError(failure));
    expect(found).toMatchObject({ reason, message: 'Why.', isRetryable: failureKinds[reason].isRetryable });
    expect(found?.metadata).toEqual({ limit: '1' });
  });

  it('keeps whether one failure differs from its reason, and uses the table where nothing was sent', () => {
    const failure = new Failure('ORIGIN_UNREACHABLE', 'Why.', {}, { isRetryable: false });
    expect(failureFromConnectError(toConnectError(failure))?.isRetryable).toBe(false);
    const value = { reason: 'OVERLOADED', domain: 'image.v1', metadata: {} };
    const older = new ConnectError('Why.', 8, undefined, [{ desc: ErrorInfoSchema, value }]);
    expect(failureFromConnectError(older)?.isRetryable).toBe(true);
  });

  it('finds none where the other side put none, another’s, or one that it does not know', () => {
    expect(failureFromConnectError(new ConnectError('raw', Code.Internal))).toBeUndefined();
    const info = (domain: string, reason: string) =>
      new ConnectError('raw', Code.Internal, undefined, [
        { desc: ErrorInfoSchema, value: { reason, domain, metadata: {} } },
      ]);
    expect(failureFromConnectError(info('googleapis.com', 'INTERNAL'))).toBeUndefined();
    expect(failureFromConnectError(info('image.v1', 'FROM_THE_FUTURE'))).toBeUndefined();
    expect(failureFromConnectError(info('image.v1', 'toString'))).toBeUndefined();
    expect(failureFromConnectError(info('image.v1', 'INTERNAL'))?.reason).toBe('INTERNAL');
  });
});
