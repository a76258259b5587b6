import { setImmediate as nextTurn } from 'node:timers/promises';
import type { DescMessage, DescMethod, MessageShape } from '@bufbuild/protobuf';
import { createContextKey, createContextValues, type Interceptor } from '@connectrpc/connect';
import type { UniversalServerRequest, UniversalServerResponse } from '@connectrpc/connect/protocol';
import { Failure } from '../../failures.ts';
import { compressed, createEnvelopeReader, wrongNumber } from './envelope-reader.ts';
import { parseBinary, parseJson } from './parse-message.ts';

/*
 * How both services read the messages of Connect, gRPC-Web and gRPC calls. Connect's handlers parse a message without
 * any bound on what is in it, and fail in their own words. So the messages are parsed here, while a handler reads the
 * body: it gets an empty message for each of them, in the place of which an interceptor puts ours.
 */

/** How the messages of a call are written. */
export interface CallFormat {
  readonly protocol: 'connect' | 'grpc' | 'grpc-web';
  readonly isBinary: boolean;
  /** Each message has an envelope: its flags and its length before it. */
  readonly isEnveloped: boolean;
}

const formats: Readonly<Record<string, CallFormat>> = {
  'application/proto': { protocol: 'connect', isBinary: true, isEnveloped: false },
  'application/json': { protocol: 'connect', isBinary: false, isEnveloped: false },
  'application/connect+proto': { protocol: 'connect', isBinary: true, isEnveloped: true },
  'application/connect+json': { protocol: 'connect', isBinary: false, isEnveloped: true },
  'application/grpc-web': { protocol: 'grpc-web', isBinary: true, isEnveloped: true },
  'application/grpc-web+proto': { protocol: 'grpc-web', isBinary: true, isEnveloped: true },
  'application/grpc-web+json': { protocol: 'grpc-web', isBinary: false, isEnveloped: true },
  'application/grpc': { protocol: 'grpc', isBinary: true, isEnveloped: true },
  'application/grpc+proto': { protocol: 'grpc', isBinary: true, isEnveloped: true },
  'application/grpc+json': { protocol: 'grpc', isBinary: false, isEnveloped: true },
};

/** What a Content-Type says of a call's messages; undefined where it is not one for this method. */
export function callFormat(
  contentType: string | null | undefined,
  { methodKind }: Pick<DescMethod, 'methodKind'>,
): CallFormat | undefined {
  const name = (contentType ?? '').toLowerCase().replace(/(?<=json); ?charset=utf-?8$/, '');
  const format = Object.hasOwn(formats, name) ? formats[name] : undefined;
  // Connect alone has no envelope around the message of a unary call.
  const isFit = format?.protocol !== 'connect' || format.isEnveloped === (methodKind !== 'unary');
  return isFit ? format : undefined;
}

/** The longest message of a method. */
export interface MessageLimit {
  readonly maxBytes: number;
  tooLong(bytes: number): Failure;
}

const parsedKey = createContextKey<unknown[] | undefined>(undefined, { description: 'parsed messages' });

/**
 * A call whose messages are parsed as its body is read.
 *
 * @param asError - makes of whatever is thrown what the handler shall put on the wire
 */
export function parsingRequest(
  request: UniversalServerRequest & { readonly body: AsyncIterable<Uint8Array> },
  method: DescMethod,
  format: CallFormat,
  limit: MessageLimit,
  asError: (error: unknown) => Error,
): UniversalServerRequest {
  const parsed: unknown[] = [];
  const header = new Headers(request.header);
  // They are looked at here, and the body that the handler reads has another length.
  for (const name of ['content-length', ...encodingHeaders]) header.delete(name);
  if (!isTimeout(header.get(timeoutHeaders[format.protocol]), format)) {
    header.delete(timeoutHeaders[format.protocol]);
  }
  async function* emptyMessages(): AsyncGenerator<Uint8Array> {
    try {
      checkHeaders(request.header, format);
      for await (const message of readMessages(request.body, method, format, limit)) {
        parsed.push(message);
        yield emptyMessage(format);
      }
    } catch (error) {
      throw asError(error);
    }
  }
  const contextValues = (request.contextValues ?? createContextValues()).set(parsedKey, parsed);
  return { ...request, header, body: emptyMessages(), contextValues };
}

/** Puts the parsed messages of `parsingRequest` into the calls. */
export const takeParsedMessages: Interceptor = (next) => async (request) => {
  const parsed = request.contextValues.get(parsedKey);
  if (parsed === undefined) return await next(request);
  if (!request.stream)
    return await next({ ...request, message: parsed.shift() as MessageShape<DescMessage> });
  const { message: messages } = request;
  async function* taken() {
    for await (const _ of messages) yield parsed?.shift() as MessageShape<DescMessage>;
  }
  return await next({ ...request, message: taken() });
};

/**
 * Connect's HTTP status for `unimplemented` is 501. Of our reasons only COMPRESSION_UNSUPPORTED has that code where a
 * method is there, and it is the caller's to mend: 415.
 */
export function withoutServerError(response: UniversalServerResponse): UniversalServerResponse {
  return response.status === 501 ? { ...response, status: 415 } : response;
}

const timeoutHeaders = {
  connect: 'connect-timeout-ms',
  grpc: 'grpc-timeout',
  'grpc-web': 'grpc-timeout',
} as const;
const encodingHeaders = ['content-encoding', 'connect-content-encoding', 'grpc-encoding'] as const;

/** @throws Failure REQUEST_INVALID, COMPRESSION_UNSUPPORTED */
function checkHeaders(header: Headers, format: CallFormat): void {
  const version = header.get('connect-protocol-version');
  if (format.protocol === 'connect' && version !== null && version !== '1') {
    throw invalidHeader('Connect-Protocol-Version', version, '1');
  }
  const timeout = header.get(timeoutHeaders[format.protocol]);
  if (!isTimeout(timeout, format)) {
    const [name, allowed] =
      format.protocol === 'connect'
        ? (['Connect-Timeout-Ms', 'milliseconds in at most 10 digits'] as const)
        : (['grpc-timeout', 'at most 8 digits and a unit of H, M, S, m, u, n'] as const);
    throw invalidHeader(name, timeout ?? '', allowed);
  }
  for (const name of encodingHeaders) {
    const encoding = header.get(name);
    if (encoding !== null && encoding.toLowerCase() !== 'identity') throw compressed(encoding);
  }
}

function isTimeout(timeout: string | null, { protocol }: CallFormat): boolean {
  return timeout === null || (protocol === 'connect' ? /^\d{1,10}$/ : /^\d{1,8}[HMSmun]$/).test(timeout);
}

function invalidHeader(header: string, actual: string, allowed: string): Failure {
  const shown = actual.slice(0, 100);
  return new Failure('REQUEST_INVALID', `${header} is "${shown}"; allowed: ${allowed}.`, {
    header,
    actual: shown,
    allowed,
  });
}

function emptyMessage({ isBinary, isEnveloped }: CallFormat): Uint8Array {
  const message = Buffer.from(isBinary ? '' : '{}');
  if (!isEnveloped) return message;
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** Longest time for which messages of a stream are parsed before others get their turn. */
const turnMs = 20;

/**
 * The messages in a body.
 *
 * @throws Failure what `limit.tooLong` makes, MESSAGE_INVALID, COMPRESSION_UNSUPPORTED, OPTION_INVALID, OPTION_UNKNOWN
 */
async function* readMessages<Desc extends DescMessage>(
  body: AsyncIterable<Uint8Array>,
  { input, methodKind }: Pick<DescMethod, 'methodKind'> & { readonly input: Desc },
  { protocol, isBinary, isEnveloped }: CallFormat,
  limit: MessageLimit,
): AsyncGenerator<MessageShape<Desc>> {
  const parse = (bytes: Uint8Array) => (isBinary ? parseBinary(input, bytes) : parseJson(input, bytes));
  if (!isEnveloped) {
    yield await parse(await readWhole(body, limit));
    return;
  }
  const takesMany = methodKind === 'client_streaming' || methodKind === 'bidi_streaming';
  const reader = createEnvelopeReader(endFlags[protocol], (bytes) => checkLength(bytes, limit));
  let messages = 0;
  let turnSinceMs = performance.now();
  for await (const chunk of body) {
    for (const bytes of reader.read(chunk)) {
      if (++messages > 1 && !takesMany) throw wrongNumber('more than one message');
      yield await parse(bytes);
      if (performance.now() - turnSinceMs < turnMs) continue;
      await nextTurn();
      turnSinceMs = performance.now();
    }
  }
  reader.end();
  if (messages === 0 && !takesMany) throw wrongNumber('no message');
}

/** Flags of the envelope with which a peer may end a stream; it is not a message. */
const endFlags = { connect: 0b10, grpc: 0, 'grpc-web': 0b1000_0000 } as const;

async function readWhole(body: AsyncIterable<Uint8Array>, limit: MessageLimit): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    checkLength(bytes, limit);
    chunks.push(chunk);
  }
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks, bytes);
}

/** @throws what `tooLong` makes */
export function checkLength(bytes: number, { maxBytes, tooLong }: MessageLimit): void {
  if (bytes > maxBytes) throw tooLong(bytes);
}
