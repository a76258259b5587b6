import { addAbortListener } from 'node:events';
import {
  constants,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Stream,
} from 'node:http2';
import type { DescMethod } from '@bufbuild/protobuf';
import { Code, ConnectError, type ContextValues, type Interceptor } from '@connectrpc/connect';
import { invokeUnaryImplementation } from '@connectrpc/connect/protocol';
import { parseTimeout, setTrailerStatus } from '@connectrpc/connect/protocol-grpc';
import { Failure } from '../../failures.ts';
import { collectMessage, endWith, envelopeOf, webHeaders } from '../../grpc/grpc-message.ts';
import { parseBinary } from '../../grpc/messages/parse-message.ts';
import { checkLength, type MessageLimit } from '../../grpc/messages/read-messages.ts';
import { lengthOf } from '../../grpc/messages/written-message.ts';
import { toConnectError, wireError } from '../../grpc/rpc-failures.ts';
import { callMemoryKey } from './call-memory.ts';
import type { WatchMessage } from './half-sent.ts';
import { openContext, over, type UnaryMethods, type UnarySpec } from './unary-methods.ts';

/**
 * Takes an ordinary call: gRPC with Protobuf, uncompressed, of a method that is here.
 *
 * @returns whether it is one; Connect's adapter handles the others
 */
export type TakeGrpcUnary = (
  request: Http2ServerRequest,
  response: Http2ServerResponse,
  caller: string,
  contextValues: ContextValues,
) => boolean;

/**
 * Unary gRPC calls whose messages may have many megabytes, at the server's end; the client's is image-api's grpc-call.ts.
 * Connect's adapter joins the chunks of a message through three async iterators and copies the response twice. Here the
 * message is read into one array and the response is sent without a copy (docs/performance.md). Contexts, deadlines,
 * interceptors and statuses are Connect's.
 *
 * The message counts in its call's memory as it arrives, and so does the response until its last byte is out.
 *
 * @param limitOf - the longest message of a method
 * @param watchMessage - gives up messages that do not arrive
 */
export function createGrpcUnary(
  methods: UnaryMethods,
  limitOf: (method: DescMethod) => MessageLimit,
  interceptors: Interceptor[],
  watchMessage: WatchMessage,
): TakeGrpcUnary {
  async function respond(
    { stream, headers }: Http2ServerRequest,
    response: Http2ServerResponse,
    spec: UnarySpec,
    timeoutMs: number | undefined,
    caller: string,
    contextValues: ContextValues,
  ): Promise<void> {
    const left = new AbortController();
    const requestHeader = webHeaders(headers);
    const { method } = spec;
    const memory = contextValues.get(callMemoryKey);
    const { account } = memory;
    const context = openContext(spec, `http://${headers[':authority']}`, {
      ...(timeoutMs !== undefined && { timeoutMs }),
      requestSignal: left.signal,
      requestHeader,
      responseHeader: { 'content-type': 'application/grpc+proto' },
      responseTrailer: { 'grpc-status': '0' },
      contextValues,
    });
    stream.once('close', () => left.abort(reasonOf(stream.rstCode)));
    watchMessage(stream, caller, (failure) => left.abort(toConnectError(failure)));
    const limit = limitOf(method);
    const collected = collectMessage({
      onLength(bytes) {
        checkLength(bytes, limit);
        memory.checkRoom(bytes);
        account.begin({ totalBytes: bytes, end: () => left.abort(wireError(tooSlow(bytes))) });
      },
      onBytes(bytes) {
        account.resize(bytes);
        account.progress(bytes);
      },
    });
    // The message is held no longer than by this.
    async function outputOf(): Promise<readonly Uint8Array[]> {
      const message = parseBinary(method.input, await readMessage(stream, collected, context.signal));
      account.finish();
      const output = await invokeUnaryImplementation(spec, context, message, interceptors);
      return envelopeOf(method.output, output);
    }
    const pieces = await outputOf().catch((error: unknown) => {
      setTrailerStatus(context.responseTrailer, wireError(error));
      return [];
    });
    context.abort(over);
    const bytes = lengthOf(pieces);
    account.force(bytes);
    const transfer = memory.transferOver(stream);
    transfer.begin(bytes);
    if (stream.closed || stream.destroyed) return;
    response.writeHead(200, Object.fromEntries(context.responseHeader));
    response.addTrailers(Object.fromEntries(context.responseTrailer));
    await endWith(stream, pieces, transfer.progress);
  }

  return (request, response, caller, contextValues) => {
    const { stream, headers, method, url } = request;
    const spec = methods.find(url);
    if (spec === undefined || method !== 'POST') return false;
    if (!/^application\/grpc(\+proto)?$/.test(headers['content-type'] ?? '')) return false;
    if ((headers['grpc-encoding'] ?? 'identity') !== 'identity') return false;
    const [timeoutText = null] = [headers['grpc-timeout']].flat();
    const timeout = parseTimeout(timeoutText, Number.POSITIVE_INFINITY);
    if (timeout.error !== undefined) return false;
    // The `close` event handles broken streams.
    stream.on('error', () => {});
    // For example headers that cannot be sent. No call may end the server.
    respond(request, response, spec, timeout.timeoutMs, caller, contextValues).catch(() =>
      stream.close(constants.NGHTTP2_INTERNAL_ERROR),
    );
    return true;
  };
}

/** Reads the only message of a call. After a failure the rest is not read. */
async function readMessage(
  stream: ServerHttp2Stream,
  message: ReturnType<typeof collectMessage>,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  function onData(chunk: Buffer): void {
    try {
      message.add(chunk);
    } catch (error) {
      // At once: the reader takes nothing more after it has thrown.
      stream.off('data', onData);
      reject(error);
    }
  }
  signal.throwIfAborted();
  using _listening = addAbortListener(signal, () => reject(signal.reason));
  stream.on('data', onData).on('end', resolve);
  try {
    await promise;
    return message.whole();
  } finally {
    stream.off('data', onData).off('end', resolve).pause();
  }
}

function reasonOf(rstCode: number | undefined): ConnectError {
  if (rstCode === constants.NGHTTP2_NO_ERROR) return over;
  return new ConnectError(`the stream was reset with ${rstCode}`, Code.Canceled);
}

function tooSlow(bytes: number): Failure {
  return new Failure(
    'OVERLOADED',
    `The message of ${bytes} bytes came too slowly to be complete by the deadline, and others need the memory. Try again in a moment.`,
    { limit: bytes },
  );
}
