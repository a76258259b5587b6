import type { DescMethod } from '@bufbuild/protobuf';
import {
  ConnectError,
  createConnectRouter,
  createContextKey,
  createContextValues,
  type HandlerContext,
  type Interceptor,
  type ServiceImpl,
} from '@connectrpc/connect';
import { type UniversalHandler, universalServerResponseToFetch } from '@connectrpc/connect/protocol';
import {
  ProcessorService,
  type ProcessRequest,
  type ProcessStreamRequest,
} from '../../../gen/image/v1/processor_pb.ts';
import { type Breakable, breakable } from '../../breakable.ts';
import { type Deadline, startDeadline } from '../../deadline.ts';
import { Failure, retryAfterOf } from '../../failures.ts';
import { callFormat } from '../../grpc/messages/call-format.ts';
import { batchLimit, pairLimit } from '../../grpc/messages/message-limits.ts';
import type { MessageLimit } from '../../grpc/messages/read-messages.ts';
import { exchangeMessages, handleCall } from '../../grpc/messages/rpc-messages.ts';
import { toConnectError } from '../../grpc/rpc-failures.ts';
import { messageOverheadBytes } from '../../grpc/transport.ts';
import { processImages, streamIdle, streamsOverLimit } from '../../image-stream.ts';
import type { CallOrigin } from '../../telemetry/trace-context.ts';
import { createWaitingPlaces, type Place } from '../../waiting-places.ts';
import type { Gate } from '../auth/auth.ts';
import type { ApiConfig } from '../config.ts';
import { allowStream } from '../connections.ts';
import type { ApiContext } from '../context.ts';
import type { HeldBytes, Share } from '../memory/held-bytes.ts';
import { createHeldStream, type HeldStream } from '../memory/held-stream.ts';
import { type PricedRequest, priceOfResponse } from '../memory/response-price.ts';
import { noteFailure } from '../problems/problem.ts';
import { imageTooLong, readBody } from '../request-body.ts';
import type { ProcessorClient, ResponseRoom } from '../upstream/processor-client.ts';
import { originOf } from '../upstream/trace-call.ts';

/** All paths of the Connect interface. */
export const connectDoorPath = `/${ProcessorService.typeName}/*`;

const pathOf = ({ name }: DescMethod) => `/${ProcessorService.typeName}/${name}`;

/** The HTTP request that a call came in. */
interface Arrival {
  readonly c: ApiContext;
  readonly atMs: number;
  /** Why the call is refused, if it is. */
  readonly refusal: ConnectError | undefined;
  /** Its share of the held memory. */
  readonly share: Share;
  /** Counts the images of a stream for `share`. */
  readonly stream: HeldStream;
  /** The waiting place of a stream without an image in work. */
  readonly place: Place | undefined;
}

const arrivalKey = createContextKey<Arrival | undefined>(undefined);

/** Images of one stream in work at once, at most. */
const maxStreamConcurrency = 8;

const methodNames = ProcessorService.methods.map(({ name }) => name).join(', ');

/** A response without an image or tensor. */
const noContents = () => [];

/** Milliseconds that the caller of an ending stream has to read the reason. */
const streamEndMs = 5_000;

/**
 * The processor's own service for browsers, in the Connect and gRPC-Web protocols: each call is passed
 * on to the processor unchanged, with its deadline and ids and without its headers. Each image of a stream is a call of
 * its own. So an idle stream takes no place, and a stream may outlive a processor and REQUEST_TIMEOUT_MS, which applies
 * to each of its images.
 *
 * @param closing - aborts when the server closes: streams read no further then
 */
export function openConnectDoor(
  config: ApiConfig,
  processor: ProcessorClient,
  gate: Gate,
  held: HeldBytes,
  closing: AbortSignal,
) {
  const maxMessageBytes = config.maxUploadBytes + messageOverheadBytes;
  // One stream never has all the places of a processor.
  const concurrency = Math.max(
    1,
    Math.min(maxStreamConcurrency, Math.floor(config.maxCallsPerProcessor / 4)),
  );
  const streams = createWaitingPlaces(config.idleStreams);

  const ofImage = {
    maxBytes: maxMessageBytes,
    tooLong: (bytes: number) => imageTooLong(bytes, config.maxUploadBytes),
  };
  const ofBatch = batchLimit(config.maxHeldBytes);
  const limits: Readonly<Record<string, MessageLimit>> = {
    // A batch has many images and is bounded by memory instead.
    [pathOf(ProcessorService.method.processBatch)]: ofBatch,
    [pathOf(ProcessorService.method.skew)]: pairLimit(config.maxUploadBytes, ofBatch.maxBytes),
  };
  const longestBodyOf = (path: string) => limits[path] ?? ofImage;

  /** Passes a unary call on. Its response is priced before it is computed. */
  async function passOn<Request extends PricedRequest, Response>(
    ask: (
      request: Request,
      deadline: Deadline,
      origin?: CallOrigin,
      room?: ResponseRoom,
    ) => Promise<Response>,
    request: Request,
    context: HandlerContext,
    contentsOf: (response: Response) => readonly { readonly content: Uint8Array }[],
  ): Promise<Response> {
    using deadline = deadlineOf(context, config.requestTimeoutMs);
    const arrival = context.values.get(arrivalKey);
    try {
      if (arrival === undefined) throw new Error('a call that came in no request');
      const { share } = arrival;
      const price = priceOfResponse(request, config.responseLimit);
      if (contentsOf !== noContents) share.expects(price);
      const room = { maxBytes: config.responseLimit.bytes, take: share.expects };
      const response = await ask(request, deadline, originOfCall(context), room);
      share.responds(contentsOf(response).reduce((sum, { content }) => sum + content.length, 0));
      return response;
    } catch (error) {
      throw noted(error, arrival?.c);
    }
  }

  const router = createConnectRouter({
    grpc: false,
    acceptCompression: [],
    interceptors: [refuseStreams, exchangeMessages],
  });
  router.service(ProcessorService, {
    process: (request, context) => passOn(processor.process, request, context, (response) => [response]),
    processVariants: (request, context) =>
      passOn(processor.processVariants, request, context, ({ variants }) => variants),
    describe: (request, context) => passOn(processor.describe, request, context, noContents),
    describeVariants: (request, context) => passOn(processor.describeVariants, request, context, noContents),
    listPresets: (request, context) => passOn(processor.listPresets, request, context, noContents),
    getPreset: (request, context) => passOn(processor.getPreset, request, context, noContents),
    skew: (request, context) => passOn(processor.skew, request, context, ({ map }) => [{ content: map }]),
    processBatch: (request, context) =>
      passOn(processor.processBatch, request, context, (response) => [response]),
    async *processStream(requests: AsyncIterable<ProcessStreamRequest>, context) {
      const arrival = context.values.get(arrivalKey);
      const origin = originOfCall(context);
      try {
        if (arrival?.place === undefined) throw new Error('a stream has arrived without a place');
        const { stream, place } = arrival;
        const processOne = async (request: ProcessRequest, id: string) => {
          using deadline = imageDeadline(context, config.requestTimeoutMs);
          const room = {
            maxBytes: config.responseLimit.bytes,
            take: (bytes: number) => stream.take(id, bytes),
          };
          return await processor.process(request, deadline, origin, room);
        };
        const messages = stream.requests(requests);
        yield* stream.responses(
          processImages(messages, processOne, { concurrency, place, draining: closing }),
        );
      } catch (error) {
        // Connect's own errors are about the stream itself: a message that cannot be parsed, a caller that left.
        throw error instanceof ConnectError ? error : noted(error, arrival?.c);
      }
    },
  } satisfies ServiceImpl<typeof ProcessorService>);
  const handlers = new Map(router.handlers.map((handler) => [handler.requestPath, handler]));

  /** Reads a body of one message. A body over the limit fails with a reason of ours. */
  async function* readMessage(c: ApiContext, refusal: ConnectError | undefined): AsyncGenerator<Uint8Array> {
    // Thrown here, where the message would be read, it is sent in the caller's protocol.
    if (refusal !== undefined) throw refusal;
    using deadline = startDeadline(c.req.raw.signal, config.requestTimeoutMs);
    const share = held.shareOf(c.env.outgoing, c.get('callerName'));
    const { maxBytes, tooLong } = longestBodyOf(c.req.path);
    processor.checkRoom();
    yield await readBody(c.env, maxBytes, tooLong, deadline.signal, share);
  }

  /** Reads the body of a stream. Each message has a limit, the stream has none, and its memory is counted. */
  async function* readMessages(
    c: ApiContext,
    chunks: AsyncIterable<Uint8Array>,
    stream: HeldStream,
  ): AsyncGenerator<Uint8Array> {
    const { incoming, outgoing } = c.env;
    if (incoming.headers.expect !== undefined) outgoing.writeContinue();
    for await (const chunk of chunks) {
      stream.read(chunk.length);
      yield chunk;
    }
  }

  /** Takes a place for a stream, and ends the stream when it has to give the place up. */
  function enter(c: ApiContext, body: Breakable<Uint8Array>): Place {
    const { outgoing } = c.env;
    const caller = c.get('callerName');
    const over = streams.limitFor(caller);
    if (over !== undefined) throw streamsOverLimit(over);
    const place = streams.enter(caller, (end) => {
      body.break(noted(streamIdle(end), c));
      // A caller that reads nothing does not read the reason either.
      const timer = setTimeout(() => outgoing.destroy(), streamEndMs);
      outgoing.once('close', () => clearTimeout(timer));
    });
    outgoing.once('close', place.leave);
    allowStream(c.env.incoming);
    return place;
  }

  return async (c: ApiContext): Promise<Response> => {
    const handler: UniversalHandler | undefined = handlers.get(c.req.path);
    if (handler === undefined) {
      throw new Failure('ROUTE_UNKNOWN', `${ProcessorService.typeName} has the methods ${methodNames}.`);
    }
    const isUnary = handler.method.methodKind === 'unary';
    // The connection has to outlive a stream that is refused, or the refusal would not get through.
    const incoming = breakable<Uint8Array>(c.env.incoming.iterator({ destroyOnReturn: false }));
    const format = callFormat(c.req.header('content-type'), handler.method);
    let place: Place | undefined;
    let refusal: ConnectError | undefined;
    try {
      await gate.admit(c);
      if (!isUnary && format !== undefined) place = enter(c, incoming);
    } catch (error) {
      refusal = noted(error, c);
    }
    if (format === undefined || format.protocol === 'grpc') throw unsupportedContentType(c, handler.method);
    const share = held.shareOf(c.env.outgoing, c.get('callerName'));
    const stream = createHeldStream(share, config.responseLimit.bytes);
    const request = {
      httpVersion: '',
      method: c.req.method,
      url: c.req.url,
      header: c.req.raw.headers,
      body: isUnary ? readMessage(c, refusal) : readMessages(c, incoming.values, stream),
      signal: c.req.raw.signal,
      contextValues: createContextValues().set(arrivalKey, {
        c,
        atMs: performance.now(),
        refusal,
        share,
        stream,
        place,
      }),
    };
    const asError = (error: unknown) => (error instanceof ConnectError ? error : noted(error, c));
    const limit = longestBodyOf(c.req.path);
    const handling = { format, limit, asError, transfer: share.transfer };
    return universalServerResponseToFetch(await handleCall(handler, request, handling));
  };
}

/** Refuses streams before their messages are read, which only the call itself would do. */
const refuseStreams: Interceptor = (next) => (request) => {
  const refusal = request.contextValues.get(arrivalKey)?.refusal;
  if (refusal !== undefined) throw refusal;
  return next(request);
};

function originOfCall(context: HandlerContext): CallOrigin | undefined {
  const arrival = context.values.get(arrivalKey);
  return arrival && originOf(arrival.c);
}

/** The caller's own deadline, or ours if that is earlier. */
function deadlineOf(context: HandlerContext, maxTimeoutMs: number): Deadline {
  const arrivedAtMs = context.values.get(arrivalKey)?.atMs ?? performance.now();
  const leftMs = Math.max(1, Math.ceil(maxTimeoutMs - (performance.now() - arrivedAtMs)));
  return startDeadline(context.signal, Math.min(context.timeoutMs() ?? leftMs, leftMs));
}

/** The deadline of one image of a stream: ours, or that of the whole stream if that is earlier. */
function imageDeadline(context: HandlerContext, maxTimeoutMs: number): Deadline {
  return startDeadline(context.signal, Math.min(context.timeoutMs() ?? maxTimeoutMs, maxTimeoutMs));
}

function unsupportedContentType(c: ApiContext, method: DescMethod): Failure {
  const actual = (c.req.header('content-type') ?? '').slice(0, 100);
  const connect = method.methodKind === 'unary' ? 'application/' : 'application/connect+';
  const allowed = `${connect}proto, ${connect}json, application/grpc-web, application/grpc-web+json`;
  return new Failure(
    'CONTENT_TYPE_UNSUPPORTED',
    `The Content-Type is "${actual}"; ${method.name} takes ${allowed}. Plain gRPC is spoken by image-processor.`,
    { actual, allowed },
  );
}

/** Notes the failure for the access log, and returns it for the wire with Retry-After. */
function noted(error: unknown, c: ApiContext | undefined): ConnectError {
  if (c === undefined) return toConnectError(error);
  const failure = noteFailure(c, error);
  const retryAfter = retryAfterOf(failure);
  // Connect makes a response of its own, which gets the headers of the context's response.
  if (retryAfter !== undefined) c.res.headers.set('Retry-After', String(retryAfter));
  return toConnectError(failure);
}
