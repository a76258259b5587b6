import { type ClientHttp2Stream, constants } from 'node:http2';
import { create, fromBinary } from '@bufbuild/protobuf';
import {
  Code,
  ConnectError,
  createContextKey,
  createContextValues,
  type Interceptor,
  type Transport,
} from '@connectrpc/connect';
import { createMethodUrl, runUnaryCall } from '@connectrpc/connect/protocol';
import { requestHeader, validateResponse, validateTrailer } from '@connectrpc/connect/protocol-grpc';
import { Failure } from '../../failures.ts';
import { collectMessage, endWith, envelopeOf, webHeaders } from '../../grpc/grpc-message.ts';
import type { Http2Connection } from '../../grpc/http2-connection.ts';
import { toConnectError } from '../../grpc/rpc-failures.ts';

/** In a call's context: takes memory for the message of the response, whose length is known. It may throw a Failure. */
export const responseRoomKey = createContextKey<(messageBytes: number) => void>(() => {}, {
  description: 'room for the response',
});

/**
 * Unary gRPC calls whose messages are megabytes. Connect's own transport copies a message three times on its way to
 * the wire and hands the answer through four async iterators, chunk by chunk; here an image is sent from where it
 * lies and the answer is read into its place, which halves the caller's CPU (docs/performance.md). The protocol
 * itself, headers, deadlines, statuses and interceptors, is Connect's. Nothing is compressed.
 *
 * @param readMaxBytes - longest answer
 * @throws ConnectError, UNAVAILABLE where the connection or the stream was lost
 */
export function createGrpcUnary(
  baseUrl: string,
  sessions: Http2Connection,
  readMaxBytes: number,
  interceptors: Interceptor[] = [],
): Transport['unary'] {
  return async (method, signal, timeoutMs, header, input, contextValues) =>
    await runUnaryCall({
      interceptors,
      ...(signal && { signal }),
      ...(timeoutMs !== undefined && { timeoutMs }),
      req: {
        stream: false,
        service: method.parent,
        method,
        requestMethod: 'POST',
        url: createMethodUrl(baseUrl, method),
        header: requestHeader(true, timeoutMs, header),
        contextValues: contextValues ?? createContextValues(),
        message: create(method.input, input),
      },
      next: async (request) => {
        const { pathname } = new URL(request.url);
        const stream = await sessions.request('POST', pathname, Object.fromEntries(request.header), {});
        // Errors of the stream reach `readAnswer`.
        void endWith(stream, envelopeOf(method.input, request.message));
        const takeRoom = request.contextValues.get(responseRoomKey);
        const message = collectMessage({
          onLength(bytes) {
            if (bytes > readMaxBytes) throw tooLong(bytes, readMaxBytes);
            takeRoom?.(bytes);
          },
        });
        const answer = await readAnswer(stream, request.signal, message);
        validateResponse(answer.status, answer.header);
        validateTrailer(answer.trailer, answer.header);
        const output = fromBinary(method.output, wholeOf(answer.message));
        return { stream: false, service: method.parent, method, ...answer, message: output };
      },
    });
}

function wholeOf(message: ReturnType<typeof collectMessage>): Uint8Array {
  try {
    return message.whole();
  } catch (error) {
    throw unreadable(error);
  }
}

function tooLong(bytes: number, readMaxBytes: number): ConnectError {
  const text = `the response has ${bytes} bytes, which is more than readMaxBytes ${readMaxBytes}`;
  return new ConnectError(text, Code.ResourceExhausted);
}

/** A response that is broken is the processor's fault, whatever reason a request like it would have. */
function unreadable(error: unknown): ConnectError {
  if (error instanceof ConnectError) return error;
  const isOurs =
    error instanceof Failure &&
    error.reason !== 'MESSAGE_INVALID' &&
    error.reason !== 'COMPRESSION_UNSUPPORTED';
  if (isOurs) return toConnectError(error);
  return new ConnectError('the response cannot be read', Code.Internal, undefined, undefined, error);
}

interface Answer {
  readonly status: number;
  readonly header: Headers;
  readonly trailer: Headers;
  readonly message: ReturnType<typeof collectMessage>;
}

function readAnswer(
  stream: ClientHttp2Stream,
  signal: AbortSignal,
  message: Answer['message'],
): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  let [status, header, trailer] = [0, new Headers(), new Headers()];

  function fail(error: ConnectError): void {
    signal.removeEventListener('abort', onAbort);
    reject(error);
    if (!stream.closed) stream.close(constants.NGHTTP2_CANCEL);
  }
  function onAbort(): void {
    fail(ConnectError.from(signal.reason, Code.Canceled));
  }
  function onData(chunk: Buffer): void {
    try {
      message.add(chunk);
    } catch (error) {
      fail(unreadable(error));
    }
  }
  function onClose(): void {
    signal.removeEventListener('abort', onAbort);
    const { rstCode } = stream;
    if (rstCode === constants.NGHTTP2_NO_ERROR) resolve({ status, header, trailer, message });
    else reject(new ConnectError(`the stream was reset with ${rstCode}`, Code.Unavailable));
  }

  signal.addEventListener('abort', onAbort, { once: true });
  stream
    .on('response', (headers) => {
      status = headers[':status'] ?? 0;
      header = webHeaders(headers);
    })
    .on('data', onData)
    .on('trailers', (headers) => {
      trailer = webHeaders(headers);
    })
    .on('error', (cause) => {
      fail(new ConnectError('the connection was lost', Code.Unavailable, undefined, undefined, cause));
    })
    .on('close', onClose);
  if (signal.aborted) onAbort();
  return promise;
}
