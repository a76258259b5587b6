import { create, type DescMessage, type DescMethod, type MessageShape } from '@bufbuild/protobuf';
import { createContextKey, createContextValues, type Interceptor } from '@connectrpc/connect';
import type {
  UniversalHandler,
  UniversalServerRequest,
  UniversalServerResponse,
} from '@connectrpc/connect/protocol';
import type { CallFormat } from './call-format.ts';
import { envelopeStart } from './envelope-reader.ts';
import {
  checkHeaders,
  encodingHeaders,
  isTimeout,
  type MessageLimit,
  readMessages,
  timeoutHeaders,
} from './read-messages.ts';
import { type WrittenMessage, writeMessage } from './written-message.ts';

/*
 * How both services read and write the messages of Connect, gRPC-Web and gRPC calls. Connect's handlers parse a message
 * without a bound on what it contains, fail in their own words, and serialise a response in one piece. So messages are
 * parsed and written here. In both directions Connect gets an empty message for each of ours, and `exchangeMessages`
 * exchanges the two.
 */

/** Messages on their way through Connect's handler, in their order. */
interface OwnMessages {
  readonly requests: unknown[];
  readonly responses: MessageShape<DescMessage>[];
}

const ownMessagesKey = createContextKey<OwnMessages | undefined>(undefined, { description: 'own messages' });

/** Is notified of the progress of a response message. */
export interface MessageTransfer {
  /** @param bytes - length of the message */
  begin(bytes: number): void;
  /** @param bytes - of the message so far that are sent or about to be */
  progress(bytes: number): void;
  finish(): void;
}

/** How a call is handled. */
export interface CallHandling {
  readonly format: CallFormat;
  readonly limit: MessageLimit;
  /** Turns any thrown value into an error for the wire. */
  asError(error: unknown): Error;
  readonly transfer: MessageTransfer;
}

/**
 * Handles a call by Connect's handler, which must have the interceptor `exchangeMessages`.
 *
 * @returns a response whose body comes in slices
 */
export async function handleCall(
  handler: UniversalHandler,
  request: UniversalServerRequest & { readonly body: AsyncIterable<Uint8Array> },
  handling: CallHandling,
): Promise<UniversalServerResponse> {
  const messages: OwnMessages = { requests: [], responses: [] };
  const { method } = handler;
  const response = await handler({
    ...request,
    header: headerOf(request, handling),
    body: emptyRequests(request, messages, method, handling),
    contextValues: (request.contextValues ?? createContextValues()).set(ownMessagesKey, messages),
  });
  return withOwnBody(withoutServerError(response), messages, method, handling);
}

/** Exchanges the messages of a call that `handleCall` handles: ours for Connect's empty ones. */
export const exchangeMessages: Interceptor = (next) => async (request) => {
  const own = request.contextValues.get(ownMessagesKey);
  if (own === undefined) return await next(request);
  const takeRequest = () => own.requests.shift() as MessageShape<DescMessage>;
  function keepResponse(message: MessageShape<DescMessage>): MessageShape<DescMessage> {
    own?.responses.push(message);
    return create(request.method.output);
  }
  const response = await next(
    request.stream
      ? { ...request, message: mapped(request.message, takeRequest) }
      : { ...request, message: takeRequest() },
  );
  return response.stream
    ? { ...response, message: mapped(response.message, keepResponse) }
    : { ...response, message: keepResponse(response.message) };
};

async function* mapped<In, Out>(values: AsyncIterable<In>, map: (value: In) => Out): AsyncGenerator<Out> {
  for await (const value of values) yield map(value);
}

/** Headers for the handler: those that `checkHeaders` judges are removed where the handler would judge them differently. */
function headerOf(request: UniversalServerRequest, { format }: CallHandling): Headers {
  const header = new Headers(request.header);
  // The body that the handler reads has another length.
  for (const name of ['content-length', ...encodingHeaders]) header.delete(name);
  if (!isTimeout(header.get(timeoutHeaders[format.protocol]), format)) {
    header.delete(timeoutHeaders[format.protocol]);
  }
  return header;
}

/** A body with an empty message for each message of the request. */
async function* emptyRequests(
  request: UniversalServerRequest & { readonly body: AsyncIterable<Uint8Array> },
  { requests }: OwnMessages,
  method: DescMethod,
  { format, limit, asError }: CallHandling,
): AsyncGenerator<Uint8Array> {
  try {
    checkHeaders(request.header, format);
    for await (const message of readMessages(request.body, method, format, limit)) {
      requests.push(message);
      yield emptyMessage(format);
    }
  } catch (error) {
    throw asError(error);
  }
}

function emptyMessage({ isBinary, isEnveloped }: CallFormat): Uint8Array {
  const message = Buffer.from(isBinary ? '' : '{}');
  return isEnveloped ? Buffer.concat([envelopeStart(message.length), message]) : message;
}

/**
 * Connect's HTTP status for `unimplemented` is 501. Of our reasons only COMPRESSION_UNSUPPORTED has that code where the
 * method exists, and the caller can correct it: 415.
 */
function withoutServerError(response: UniversalServerResponse): UniversalServerResponse {
  return response.status === 501 ? { ...response, status: 415 } : response;
}

/** The response with our messages in place of the empty ones. */
function withOwnBody(
  response: UniversalServerResponse,
  { responses }: OwnMessages,
  { output }: DescMethod,
  { format, transfer }: CallHandling,
): UniversalServerResponse {
  const { body } = response;
  const writeNext = () => writeMessage(output, responses.shift() as MessageShape<DescMessage>, format);
  if (body === undefined) return response;
  if (format.isEnveloped) return { ...response, body: ownEnvelopes(body, writeNext, transfer) };
  // A failure is JSON of Connect's.
  if (response.status !== 200) return response;
  const message = writeNext();
  const header = new Headers(response.header);
  header.set('content-length', String(message.bytes));
  return { ...response, header, body: slicesOf(message, transfer) };
}

/** @param chunks - one for each message, and one for the trailers or the end of a stream, whose envelope has flags */
async function* ownEnvelopes(
  chunks: AsyncIterable<Uint8Array>,
  writeNext: () => WrittenMessage,
  transfer: MessageTransfer,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    if (chunk[0] === 0) yield* slicesOf(writeNext(), transfer);
    else yield chunk;
  }
}

async function* slicesOf(message: WrittenMessage, transfer: MessageTransfer): AsyncGenerator<Uint8Array> {
  transfer.begin(message.bytes);
  let sentBytes = 0;
  for (const slice of message.slices()) {
    sentBytes += slice.length;
    transfer.progress(sentBytes);
    yield slice;
  }
  transfer.finish();
}
