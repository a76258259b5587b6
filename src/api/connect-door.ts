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
import { ProcessorService, type ProcessStreamRequest } from '../../gen/image/v1/processor_pb.ts';
import { type Deadline, startDeadline } from '../deadline.ts';
import { Failure } from '../failures.ts';
import { mostOfOneCaller } from '../memory-budget.ts';
import {
  callFormat,
  parsingRequest,
  takeParsedMessages,
  withoutServerError,
} from '../messages/rpc-messages.ts';
import { toConnectError } from '../rpc-failures.ts';
import type { CallOrigin } from '../trace-context.ts';
import { messageOverheadBytes } from '../transport.ts';
import type { Gate } from './auth.ts';
import type { ApiConfig } from './config.ts';
import type { ApiContext } from './context.ts';
import type { HeldBytes, Share } from './held-bytes.ts';
import { createHeldStream, type HeldStream } from './held-stream.ts';
import { noteFailure } from './problem.ts';
import type { ProcessorClient, ResponseRoom } from './processor-client.ts';
import { imageTooLong, readBody } from './request-body.ts';
import { type PricedRequest, priceOfResponse, type ResponseLimit } from './response-price.ts';
import { originOf } from './trace-calls.ts';

/** Everything under it goes through this door. */
export const connectDoorPath = `/${ProcessorService.typeName}/*`;

const batchPath = `/${ProcessorService.typeName}/${ProcessorService.method.processBatch.name}`;

/**
 * In bytes of contents. JSON has them as Base64 in a text that is written in one piece: twice as many keep the event
 * loop for a tenth of a second.
 */
const maxJsonContentBytes = 16 * 1024 * 1024;

/** The HTTP request that a call came in. */
interface Arrival {
  readonly c: ApiContext;
  readonly atMs: number;
  /** Why it is not let in. */
  readonly refusal: ConnectError | undefined;
  /** Its part in what is held. */
  readonly share: Share;
  /** Counts for `share`, where images come in a stream. */
  readonly stream: HeldStream;
}

const arrivalKey = createContextKey<Arrival | undefined>(undefined);

/**
 * The processor's own service for browsers, in the Connect and gRPC-Web protocols: each call goes on to
 * the processor as it came, with its deadline and its ids, without its headers.
 */
export function openConnectDoor(config: ApiConfig, processor: ProcessorClient, gate: Gate, held: HeldBytes) {
  const maxMessageBytes = config.maxUploadBytes + messageOverheadBytes;
  const maxBatchBytes = Math.max(maxMessageBytes, mostOfOneCaller(config.maxHeldBytes));

  /** A batch has many images: what bounds it is the memory for it. */
  function longestBodyOf(path: string) {
    return path === batchPath
      ? { maxBytes: maxBatchBytes, tooLong: (bytes: number) => batchTooLong(bytes, maxBatchBytes) }
      : {
          maxBytes: maxMessageBytes,
          tooLong: (bytes: number) => imageTooLong(bytes, config.maxUploadBytes),
        };
  }

  /** One request, one response, which is priced before it is made. */
  async function passOn<Request extends PricedRequest, Answer>(
    ask: (request: Request, deadline: Deadline, origin?: CallOrigin, room?: ResponseRoom) => Promise<Answer>,
    request: Request,
    context: HandlerContext,
    contentsOf: (answer: Answer) => readonly { readonly content: Uint8Array }[],
  ): Promise<Answer> {
    using deadline = deadlineOf(context, config.requestTimeoutMs);
    const arrival = context.values.get(arrivalKey);
    try {
      if (arrival === undefined) throw new Error('a call that came in no request');
      const { share } = arrival;
      const { limit, copies } = writingOf(arrival.c, config);
      share.expects(copies * priceOfResponse(request, limit));
      const room = { maxBytes: limit.bytes, take: (bytes: number) => share.expects(copies * bytes) };
      const answer = await ask(request, deadline, originOfCall(context), room);
      share.responds(copies * contentsOf(answer).reduce((sum, { content }) => sum + content.length, 0));
      return answer;
    } catch (error) {
      throw noted(error, arrival?.c);
    }
  }

  const router = createConnectRouter({
    grpc: false,
    readMaxBytes: maxMessageBytes,
    acceptCompression: [],
    interceptors: [refuseStreams, takeParsedMessages],
  });
  router.service(ProcessorService, {
    process: (request, context) => passOn(processor.process, request, context, (answer) => [answer]),
    processVariants: (request, context) =>
      passOn(processor.processVariants, request, context, ({ variants }) => variants),
    processBatch: (request, context) =>
      passOn(processor.processBatch, request, context, (answer) => [answer]),
    async *processStream(requests: AsyncIterable<ProcessStreamRequest>, context) {
      using deadline = deadlineOf(context, config.requestTimeoutMs);
      try {
        const stream = context.values.get(arrivalKey)?.stream;
        const passing = stream?.requests(requests) ?? requests;
        const answers = processor.processStream(
          passing,
          deadline,
          originOfCall(context),
          roomOfStream(context, config),
        );
        yield* stream?.answers(answers) ?? answers;
      } catch (error) {
        throw noted(error, context.values.get(arrivalKey)?.c);
      }
    },
  } satisfies ServiceImpl<typeof ProcessorService>);
  const batch = ProcessorService.method.processBatch;
  router.rpc(
    batch,
    (request, context) => passOn(processor.processBatch, request, context, (answer) => [answer]),
    { readMaxBytes: maxBatchBytes },
  );
  const handlers = new Map(router.handlers.map((handler) => [handler.requestPath, handler]));

  /** One message as the whole body, which our own reader caps with a reason that a caller can match on. */
  async function* readMessage(c: ApiContext, refusal: ConnectError | undefined): AsyncGenerator<Uint8Array> {
    // Thrown here, where the message would be read, it goes out in the caller's own protocol.
    if (refusal !== undefined) throw refusal;
    using deadline = startDeadline(c.req.raw.signal, config.requestTimeoutMs);
    const share = held.shareOf(c.env.outgoing, c.get('callerName'));
    const { maxBytes, tooLong } = longestBodyOf(c.req.path);
    processor.checkRoom();
    yield await readBody(c.env, maxBytes, tooLong, deadline.signal, share);
  }

  /** Each message of a stream has a limit, and the stream has none; what it holds at a time is counted. */
  async function* readMessages(c: ApiContext, stream: HeldStream): AsyncGenerator<Uint8Array> {
    const { incoming, outgoing } = c.env;
    if (incoming.headers.expect !== undefined) outgoing.writeContinue();
    // The connection has to outlive a stream that is refused, or the refusal would not get through.
    for await (const chunk of incoming.iterator({ destroyOnReturn: false })) {
      stream.read(chunk.length);
      yield chunk;
    }
  }

  return async (c: ApiContext): Promise<Response> => {
    const handler: UniversalHandler | undefined = handlers.get(c.req.path);
    if (handler === undefined) {
      throw new Failure(
        'ROUTE_UNKNOWN',
        `${ProcessorService.typeName} has the methods Process, ProcessStream, ProcessVariants and ProcessBatch.`,
      );
    }
    const refusal = await gate.admit(c).then(
      () => undefined,
      (error: unknown) => noted(error, c),
    );
    const format = callFormat(c.req.header('content-type'), handler.method);
    if (format === undefined || format.protocol === 'grpc') throw unsupportedContentType(c, handler.method);
    const share = held.shareOf(c.env.outgoing, c.get('callerName'));
    const stream = createHeldStream(share, writingOf(c, config).limit.bytes);
    const isUnary = handler.method.methodKind === 'unary';
    const request = {
      httpVersion: '',
      method: c.req.method,
      url: c.req.url,
      header: c.req.raw.headers,
      body: isUnary ? readMessage(c, refusal) : readMessages(c, stream),
      signal: c.req.raw.signal,
      contextValues: createContextValues().set(arrivalKey, {
        c,
        atMs: performance.now(),
        refusal,
        share,
        stream,
      }),
    };
    const asError = (error: unknown) => (error instanceof ConnectError ? error : noted(error, c));
    const limit = longestBodyOf(c.req.path);
    const response = withoutServerError(
      await handler(parsingRequest(request, handler.method, format, limit, asError)),
    );
    const { body } = response;
    return universalServerResponseToFetch(
      body === undefined || body === null ? response : { ...response, body: share.sendsAll(body) },
    );
  };
}

/** A stream's messages are read by the call itself, which a caller that is not let in never gets to. */
const refuseStreams: Interceptor = (next) => (request) => {
  const refusal = request.contextValues.get(arrivalKey)?.refusal;
  if (refusal !== undefined) throw refusal;
  return next(request);
};

/** How a call's response is written: how long it may get, and how many times its contents are in memory meanwhile. */
function writingOf(
  c: ApiContext,
  { responseLimit }: ApiConfig,
): { readonly limit: ResponseLimit; readonly copies: number } {
  if (c.req.header('content-type')?.includes('json') !== true) return { limit: responseLimit, copies: 2 };
  const bytes = Math.min(responseLimit.bytes, maxJsonContentBytes);
  // As they came, as Base64, in the text, and in the text's bytes.
  return { limit: { bytes, name: 'in JSON; Protobuf takes more' }, copies: 5 };
}

/** Responses of a stream are counted as they pass. */
function roomOfStream(context: HandlerContext, config: ApiConfig): ResponseRoom | undefined {
  const arrival = context.values.get(arrivalKey);
  return arrival && { maxBytes: writingOf(arrival.c, config).limit.bytes, take() {} };
}

function batchTooLong(bytes: number, maxBytes: number): Failure {
  return new Failure(
    'SOURCE_BYTES_OVER_LIMIT',
    `The batch has at least ${bytes} bytes; at most ${maxBytes} are taken (three quarters of MAX_HELD_BYTES). Send several batches.`,
    { limit: maxBytes, actual: bytes, limited_by: 'MAX_HELD_BYTES' },
  );
}

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

/** The failure for the wire, noted on the way. */
function noted(error: unknown, c: ApiContext | undefined): ConnectError {
  return toConnectError(c === undefined ? error : noteFailure(c, error));
}
