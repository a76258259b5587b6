import { type ClientHttp2Stream, constants, type IncomingHttpHeaders } from 'node:http2';
import {
  create,
  type DescField,
  type DescMessage,
  fromBinary,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import {
  Code,
  ConnectError,
  createContextValues,
  type Interceptor,
  type Transport,
} from '@connectrpc/connect';
import { createMethodUrl, runUnaryCall } from '@connectrpc/connect/protocol';
import { requestHeader, validateResponse, validateTrailer } from '@connectrpc/connect/protocol-grpc';
import type { Http2SessionManager } from '@connectrpc/connect-node';

/** Of a field of a message, in bytes: from here on it is sent from where it lies. */
const largeBytes = 16 * 1024;

/** gRPC's Length-Prefixed-Message: a byte of flags, four of length, the message. */
const envelopeBytes = 5;

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
  sessions: Http2SessionManager,
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
        send(stream, envelopeOf(method.input, request.message));
        const onRead = () => sessions.notifyResponseByteRead(stream);
        const answer = await readAnswer(stream, onRead, request.signal, readMaxBytes);
        validateResponse(answer.status, answer.header);
        validateTrailer(answer.trailer, answer.header);
        if (answer.message === undefined) {
          throw new ConnectError('the answer has no message', Code.Unimplemented);
        }
        const message = fromBinary(method.output, answer.message);
        return { stream: false, service: method.parent, method, ...answer, message };
      },
    });
}

/** A message in its envelope, in pieces: a large field is not copied. */
export function envelopeOf<Desc extends DescMessage>(
  schema: Desc,
  message: MessageShape<Desc>,
): readonly Uint8Array[] {
  const pieces = piecesOf(schema, message);
  const envelope = Buffer.alloc(envelopeBytes);
  envelope.writeUInt32BE(
    pieces.reduce((sum, { length }) => sum + length, 0),
    1,
  );
  return [envelope, ...pieces];
}

function piecesOf<Desc extends DescMessage>(schema: Desc, message: MessageShape<Desc>): Uint8Array[] {
  const values = message as unknown as Readonly<Record<string, unknown>>;
  for (const field of schema.fields) {
    const value = bytesOf(values, field);
    if (value === undefined || value.length < largeBytes) continue;
    const head = new BinaryWriter().tag(field.number, WireType.LengthDelimited).uint32(value.length).finish();
    const without =
      field.oneof === undefined
        ? { [field.localName]: new Uint8Array() }
        : { [field.oneof.localName]: { case: undefined } };
    // The order of fields has no meaning in Protobuf.
    return [head, value, toBinary(schema, { ...message, ...without })];
  }
  return [toBinary(schema, message)];
}

function bytesOf(values: Readonly<Record<string, unknown>>, field: DescField): Uint8Array | undefined {
  if (field.fieldKind !== 'scalar') return undefined;
  const { oneof, localName } = field;
  const chosen = oneof && (values[oneof.localName] as { case?: string; value?: unknown });
  const value = chosen === undefined ? values[localName] : chosen.case === localName && chosen.value;
  return value instanceof Uint8Array ? value : undefined;
}

function send(stream: ClientHttp2Stream, pieces: readonly Uint8Array[]): void {
  stream.cork();
  for (const piece of pieces) stream.write(piece);
  stream.end();
  stream.uncork();
}

interface Answer {
  readonly status: number;
  readonly header: Headers;
  readonly trailer: Headers;
  readonly message: Uint8Array | undefined;
}

/** @param onRead - keeps the session from taking the connection for dead while an answer comes in */
function readAnswer(
  stream: ClientHttp2Stream,
  onRead: () => void,
  signal: AbortSignal,
  readMaxBytes: number,
): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const message = collectMessage(readMaxBytes);
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
    onRead();
    try {
      message.add(chunk);
    } catch (error) {
      fail(ConnectError.from(error));
    }
  }
  function onClose(): void {
    signal.removeEventListener('abort', onAbort);
    const { rstCode } = stream;
    if (rstCode === constants.NGHTTP2_NO_ERROR)
      resolve({ status, header, trailer, message: message.whole() });
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

/** Puts the chunks of one enveloped message into its place, which is made when its length is known. */
function collectMessage(readMaxBytes: number) {
  const envelope = Buffer.alloc(envelopeBytes);
  let place: Buffer | undefined;
  let bytes = 0;
  return {
    /** @throws ConnectError RESOURCE_EXHAUSTED for a message over the limit, INTERNAL for a compressed one */
    add(chunk: Buffer): void {
      const ofEnvelope = chunk.copy(envelope, Math.min(bytes, envelopeBytes), 0);
      if (place === undefined && bytes + chunk.length >= envelopeBytes) {
        const length = envelope.readUInt32BE(1);
        if (envelope[0] !== 0) throw new ConnectError('the answer is compressed', Code.Internal);
        if (length > readMaxBytes) {
          const text = `the answer has ${length} bytes, which is more than readMaxBytes ${readMaxBytes}`;
          throw new ConnectError(text, Code.ResourceExhausted);
        }
        place = Buffer.allocUnsafeSlow(length);
      }
      place?.set(chunk.subarray(ofEnvelope), Math.max(0, bytes - envelopeBytes));
      bytes += chunk.length;
    },
    /** Undefined if the message has not come, or not to its end. */
    whole: () => (place !== undefined && bytes === place.length + envelopeBytes ? place : undefined),
  };
}

function webHeaders(headers: IncomingHttpHeaders): Headers {
  const result = new Headers();
  for (const [name, value] of Object.entries(headers)) {
    if (name.startsWith(':') || value === undefined) continue;
    for (const one of [value].flat()) result.append(name, String(one));
  }
  return result;
}
