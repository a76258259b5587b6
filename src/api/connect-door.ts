import {
  type ConnectError,
  createConnectRouter,
  createContextKey,
  createContextValues,
  type HandlerContext,
  type ServiceImpl,
} from '@connectrpc/connect';
import {
  universalServerRequestFromFetch,
  universalServerResponseToFetch,
} from '@connectrpc/connect/protocol';
import { ProcessorService, type ProcessStreamRequest } from '../../gen/image/v1/processor_pb.ts';
import { Failure } from '../failures.ts';
import { publicFailure, toConnectError } from '../rpc-failures.ts';
import { messageOverheadBytes } from '../transport.ts';
import type { ApiConfig } from './config.ts';
import type { ApiContext } from './context.ts';
import { type Deadline, startDeadline } from './deadline.ts';
import type { ProcessorClient } from './processor-client.ts';
import { imageTooLong } from './request-body.ts';

/** Everything under it goes through this door. */
export const connectDoorPath = `/${ProcessorService.typeName}/*`;

const httpContext = createContextKey<ApiContext | undefined>(undefined);

/**
 * The processor's own service for browsers, in the Connect and gRPC-Web protocols: each call goes on to
 * the processor as it came, with its deadline, without its headers.
 */
export function openConnectDoor(config: ApiConfig, processor: ProcessorClient) {
  const router = createConnectRouter({
    grpc: false,
    readMaxBytes: config.maxUploadBytes + messageOverheadBytes,
    acceptCompression: [],
    requestGate: (context) => refuseTooLong(context, config.maxUploadBytes),
  });
  router.service(ProcessorService, {
    async process(request, context) {
      using deadline = deadlineOf(context, config.requestTimeoutMs);
      try {
        return await processor.process(request, deadline);
      } catch (error) {
        throw noted(error, context);
      }
    },
    async *processStream(requests: AsyncIterable<ProcessStreamRequest>, context) {
      using deadline = deadlineOf(context, config.requestTimeoutMs);
      try {
        yield* processor.processStream(requests, deadline);
      } catch (error) {
        throw noted(error, context);
      }
    },
  } satisfies ServiceImpl<typeof ProcessorService>);
  const handlers = new Map(router.handlers.map((handler) => [handler.requestPath, handler]));

  return async (c: ApiContext): Promise<Response> => {
    const handler = handlers.get(c.req.path);
    if (handler === undefined) {
      throw new Failure(
        'ROUTE_UNKNOWN',
        `${ProcessorService.typeName} has the methods Process and ProcessStream.`,
      );
    }
    if (c.env.incoming.headers.expect !== undefined) c.env.outgoing.writeContinue();
    const request = universalServerRequestFromFetch(c.req.raw, {});
    const contextValues = createContextValues().set(httpContext, c);
    return universalServerResponseToFetch(await handler({ ...request, contextValues }));
  };
}

function deadlineOf(context: HandlerContext, maxTimeoutMs: number): Deadline {
  return startDeadline(context.signal, Math.min(context.timeoutMs() ?? maxTimeoutMs, maxTimeoutMs));
}

/** The failure for the wire, noted for the access log on the way. */
function noted(error: unknown, context: HandlerContext): ConnectError {
  context.values.get(httpContext)?.set('failure', publicFailure(error));
  return toConnectError(error);
}

/** Connect's own refusal has no ErrorInfo, and would come after the upload. */
function refuseTooLong(context: HandlerContext, maxBytes: number): void {
  const declaredBytes = Number(context.requestHeader.get('content-length') ?? 0);
  if (context.method.methodKind === 'unary' && declaredBytes > maxBytes + messageOverheadBytes) {
    throw noted(imageTooLong(declaredBytes, maxBytes), context);
  }
}
