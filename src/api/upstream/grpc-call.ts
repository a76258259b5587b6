import { addAbortListener } from 'node:events';
import { type ClientHttp2Stream, constants, type IncomingHttpHeaders } from 'node:http2';
import { type DescMessage, fromBinary, type Message, type MessageShape } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import { createMethodUrl } from '@connectrpc/connect/protocol';
import { requestHeader, validateResponse, validateTrailer } from '@connectrpc/connect/protocol-grpc';
import { Failure, failureFromAbort } from '../../failures.ts';
import { collectMessage, endWith, envelopeOf, webHeaders } from '../../grpc/grpc-message.ts';
import type { Http2Connection } from '../../grpc/http2-connection.ts';
import { toConnectError } from '../../grpc/rpc-failures.ts';
import type { UnaryCall } from '../../grpc/unary-call.ts';
import { type OwnBytes, release } from '../../own-bytes.ts';

/**
 * Sends a unary gRPC call whose messages may have many megabytes. Connect's own transport copies a message three times
 * on its way to the wire and passes the response through four async iterators, chunk by chunk. Here the request is sent
 * without a copy and the response is read into one array, which halves the caller's CPU (docs/performance.md). Headers,
 * deadlines and statuses are Connect's. Nothing is compressed.
 *
 * @param maxResponseBytes - longest message of a response
 * @throws ConnectError, UNAVAILABLE where the connection or the stream was lost
 */
export async function callGrpc<Input extends DescMessage, Output extends DescMessage>(
  connection: Http2Connection,
  maxResponseBytes: number,
  { method, message, headers, deadline, takeRoom }: UnaryCall<Input, Output>,
): Promise<MessageShape<Output>> {
  const header = { ...callHeader, ...headers, 'grpc-timeout': `${deadline.remainingMs()}m` };
  const stream = await connection.request('POST', createMethodUrl('/', method), header, {});
  // Errors of the stream reach `readResponse`.
  void endWith(stream, envelopeOf(method.input, message));
  const collected = collectMessage({
    onLength(bytes) {
      if (bytes > maxResponseBytes) throw tooLong(bytes, maxResponseBytes);
      takeRoom?.(bytes);
    },
  });
  const response = await readResponse(stream, deadline.signal, collected);
  if (!isPlainSuccess(response)) validate(response);
  const bytes = wholeOf(collected);
  const result = fromBinary(method.output, bytes);
  memories.set(result, bytes);
  return result;
}

/** The memory of each response, of which its fields of type bytes are views. */
const memories = new WeakMap<object, OwnBytes>();

/**
 * Frees the memory of a response's fields of type bytes, which are empty afterwards. Called when its last byte is sent,
 * or will never be.
 */
export function releaseResponse(response: Message): void {
  const bytes = memories.get(response);
  if (bytes !== undefined) release(bytes);
}

/** The headers of every call, as Connect makes them. */
const callHeader = Object.fromEntries(requestHeader(true, undefined, undefined));

/** Whether Connect's validation would find nothing, which needs two `Headers`. */
function isPlainSuccess({ status, header, trailer }: ResponseHead): boolean {
  const type = header['content-type'];
  const isGrpc = type === 'application/grpc+proto' || type === 'application/grpc';
  const isSuccess = status === 200 && header['grpc-status'] === undefined && trailer['grpc-status'] === '0';
  return isSuccess && isGrpc && header['grpc-encoding'] === undefined;
}

/** @throws ConnectError for the status of a failed call, and for a response that is not gRPC's */
function validate(response: ResponseHead): void {
  const [header, trailer] = [webHeaders(response.header), webHeaders(response.trailer)];
  validateResponse(response.status, header);
  validateTrailer(trailer, header);
}

type Collected = ReturnType<typeof collectMessage>;

function wholeOf(message: Collected): OwnBytes {
  try {
    return message.whole() as OwnBytes;
  } catch (error) {
    throw unreadable(error);
  }
}

function tooLong(bytes: number, maxResponseBytes: number): ConnectError {
  const text = `the response has ${bytes} bytes; the limit is ${maxResponseBytes}`;
  return new ConnectError(text, Code.ResourceExhausted);
}

/** A malformed response is the processor's fault, even if the same bytes in a request would be the caller's. */
function unreadable(error: unknown): ConnectError {
  if (error instanceof ConnectError) return error;
  const isOurs =
    error instanceof Failure &&
    error.reason !== 'MESSAGE_INVALID' &&
    error.reason !== 'COMPRESSION_UNSUPPORTED';
  if (isOurs) return toConnectError(error);
  return new ConnectError('the response cannot be read', Code.Internal, undefined, undefined, error);
}

interface ResponseHead {
  readonly status: number;
  readonly header: IncomingHttpHeaders;
  readonly trailer: IncomingHttpHeaders;
}

/** Reads the response into `message`. */
async function readResponse(
  stream: ClientHttp2Stream,
  signal: AbortSignal,
  message: Collected,
): Promise<ResponseHead> {
  const { promise, resolve, reject } = Promise.withResolvers<ResponseHead>();
  let status = 0;
  let header: IncomingHttpHeaders = {};
  let trailer: IncomingHttpHeaders = {};

  function fail(error: ConnectError): void {
    reject(error);
    if (!stream.closed) stream.close(constants.NGHTTP2_CANCEL);
  }

  stream
    .on('response', (headers) => {
      status = headers[':status'] ?? 0;
      header = headers;
    })
    .on('data', (chunk: Buffer) => {
      try {
        message.add(chunk);
      } catch (error) {
        fail(unreadable(error));
      }
    })
    .on('trailers', (headers) => {
      trailer = headers;
    })
    .on('error', (cause) => {
      fail(new ConnectError('the connection was lost', Code.Unavailable, undefined, undefined, cause));
    })
    .on('close', () => {
      const { rstCode } = stream;
      const isWhole = rstCode === constants.NGHTTP2_NO_ERROR && status !== 0;
      if (isWhole) resolve({ status, header, trailer });
      else reject(new ConnectError(`the stream ended with ${rstCode}, status ${status}`, Code.Unavailable));
    });
  using _listening = addAbortListener(signal, () => fail(toConnectError(failureFromAbort(signal))));
  return await promise;
}
