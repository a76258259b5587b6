import {
  type ConnectError,
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
import { toConnectError } from '../rpc-failures.ts';
import type { CallOrigin } from '../trace-context.ts';
import { messageOverheadBytes } from '../transport.ts';
import type { Gate } from './auth.ts';
import type { ApiConfig } from './config.ts';
import type { ApiContext } from './context.ts';
import type { HeldBytes, Share } from './held-bytes.ts';
import { createHeldStream, type HeldStream } from './held-stream.ts';
import { noteFailure } from './problem.ts';
import type { ProcessorClient } from './processor-client.ts';
import { imageTooLong, readBody } from './request-body.ts';
import { originOf } from './trace-calls.ts';

/** Everything under it goes through this door. */
export const connectDoorPath = `/${ProcessorService.typeName}/*`;

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

  /** One request, one answer, of which the bytes of its images are counted. */
  async function passOn<Request, Answer>(
    ask: (request: Request, deadline: Deadline, origin?: CallOrigin) => Promise<Answer>,
    request: Request,
    context: HandlerContext,
    imagesOf: (answer: Answer) => Parameters<Share['answers']>[0],
  ): Promise<Answer> {
    using deadline = deadlineOf(context, config.requestTimeoutMs);
    const arrival = context.values.get(arrivalKey);
    try {
      const answer = await ask(request, deadline, originOfCall(context));
      arrival?.share.answers(imagesOf(answer));
      return answer;
    } catch (error) {
      throw noted(error, arrival?.c);
    }
  }

  const router = createConnectRouter({
    grpc: false,
    readMaxBytes: maxMessageBytes,
    acceptCompression: [],
    interceptors: [refuseStreams],
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
        const answers = processor.processStream(passing, deadline, originOfCall(context));
        yield* stream?.answers(answers) ?? answers;
      } catch (error) {
        throw noted(error, context.values.get(arrivalKey)?.c);
      }
    },
  } satisfies ServiceImpl<typeof ProcessorService>);
  const handlers = new Map(router.handlers.map((handler) => [handler.requestPath, handler]));

  /** One message as the whole body, which our own reader caps with a reason that a caller can match on. */
  async function* readMessage(c: ApiContext, refusal: ConnectError | undefined): AsyncGenerator<Uint8Array> {
    // Thrown here, where the message would be read, it goes out in the caller's own protocol.
    if (refusal !== undefined) throw refusal;
    using deadline = startDeadline(c.req.raw.signal, config.requestTimeoutMs);
    const tooLong = (bytes: number) => imageTooLong(bytes, config.maxUploadBytes);
    try {
      processor.checkRoom();
      held.checkRoom();
      yield await readBody(c.env, maxMessageBytes, tooLong, deadline.signal, held);
    } catch (error) {
      throw noted(error, c);
    }
  }

  /** Connect caps each message of a stream, and nobody the stream; what it holds at a time is counted. */
  async function* readMessages(c: ApiContext, share: Share, stream: HeldStream): AsyncGenerator<Uint8Array> {
    const { incoming, outgoing } = c.env;
    const noting = (take: () => void) => {
      try {
        take();
      } catch (error) {
        throw noted(error, c);
      }
    };
    noting(() => share.reserve(0, () => {}));
    if (incoming.headers.expect !== undefined) outgoing.writeContinue();
    // The connection has to outlive a stream that is refused, or the refusal would not get through.
    for await (const chunk of incoming.iterator({ destroyOnReturn: false })) {
      noting(() => stream.read(chunk.length));
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
    const share = held.shareOf(c.env.outgoing);
    const stream = createHeldStream(share);
    const isUnary = handler.method.methodKind === 'unary';
    const response = await handler({
      httpVersion: '',
      method: c.req.method,
      url: c.req.url,
      header: c.req.raw.headers,
      body: isUnary ? readMessage(c, refusal) : readMessages(c, share, stream),
      signal: c.req.raw.signal,
      contextValues: createContextValues().set(arrivalKey, {
        c,
        atMs: performance.now(),
        refusal,
        share,
        stream,
      }),
    });
    return universalServerResponseToFetch(response);
  };
}

/** A stream's messages are read by the call itself, which a caller that is not let in never gets to. */
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

/** The failure for the wire, noted on the way. */
function noted(error: unknown, c: ApiContext | undefined): ConnectError {
  return toConnectError(c === undefined ? error : noteFailure(c, error));
}
