import { type DescMessage, type DescMethodUnary, fromBinary, type MessageShape } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import { createMethodUrl } from '@connectrpc/connect/protocol';
import { codeFromHttpStatus, errorFromJsonBytes, requestHeader } from '@connectrpc/connect/protocol-connect';
import { ProcessorService } from '../../../../gen/image/v1/processor_pb.ts';
import { binaryPieces, joined } from '../../../grpc/messages/written-message.ts';
import { ClientError } from '../../client-error.ts';
import { systemCode } from '../../send.ts';
import { apiFailure } from './api-failure.ts';
import { type CallOne, runCalls } from './calls.ts';
import type { ServiceConnection } from './connection.ts';

/**
 * Connects to image-api by the Connect protocol, over whichever HTTP the way there has. Each image is a call of its own:
 * a stream in both directions would need HTTP/2 through every proxy. Requests and responses are those of image-processor,
 * so outputs and journal are too.
 */
export function connectToApi(url: URL, apiKey: string | undefined): ServiceConnection {
  const base = url.href.replace(/\/+$/, '');
  const closed = new AbortController();
  const authorization = apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` };

  async function call(
    target: string,
    init: RequestInit & { headers?: Record<string, string> },
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<Response> {
    const timeout = AbortSignal.timeout(timeoutMs);
    try {
      return await fetch(target, {
        ...init,
        headers: { ...init.headers, ...authorization },
        redirect: 'manual',
        signal: AbortSignal.any([signal, closed.signal, timeout]),
      });
    } catch (cause) {
      signal.throwIfAborted();
      const words = timeout.aborted ? `no response within ${timeoutMs / 1000} s` : systemCode(cause);
      throw new ConnectError(words, Code.Unavailable, undefined, undefined, cause);
    }
  }

  function callerOf<Input extends DescMessage, Output extends DescMessage>(
    method: DescMethodUnary<Input, Output>,
  ): CallOne<MessageShape<Input>, MessageShape<Output>> {
    return async (request, timeoutMs, signal) => {
      const headers = Object.fromEntries(requestHeader('unary', true, timeoutMs, undefined, false));
      const body = joined(binaryPieces(method.input, request));
      const target = createMethodUrl(base, method);
      const response = await call(target, { method: 'POST', headers, body }, timeoutMs, signal);
      const content = await contentOf(response, signal);
      if (response.status === 200 && response.headers.get('content-type') === 'application/proto') {
        return fromBinary(method.output, content);
      }
      throw apiFailure(errorOf(response, content), response, apiKey !== undefined);
    };
  }

  const process = callerOf(ProcessorService.method.process);

  return {
    name: 'image-api',
    place: `at ${url.host}`,
    process,
    describe: callerOf(ProcessorService.method.describe),
    skew: callerOf(ProcessorService.method.skew),
    async isServing(timeoutMs, signal) {
      const { status } = await call(`${base}/readyz`, {}, timeoutMs, signal);
      // A proxy that passes only image paths on responds with 404 or 403 here: the images will show.
      return ![502, 503, 504].includes(status);
    },
    sendImages: (queue, patienceMs, away, stop) => runCalls(queue, process, patienceMs, away, stop),
    close: async () =>
      closed.abort(new ClientError('interrupted', 'INTERRUPTED', 'The connection was closed.')),
  };
}

async function contentOf(response: Response, signal: AbortSignal): Promise<Uint8Array> {
  try {
    return new Uint8Array(await response.arrayBuffer());
  } catch (cause) {
    signal.throwIfAborted();
    throw new ConnectError('the connection was lost', Code.Unavailable, undefined, undefined, cause);
  }
}

/** The error of a response that is not 200: its own where it is Connect's JSON. */
function errorOf({ status, headers }: Response, content: Uint8Array): ConnectError {
  const byStatus = new ConnectError(`HTTP ${status}`, codeFromHttpStatus(status), headers);
  if (headers.get('content-type') !== 'application/json') return byStatus;
  return errorFromJsonBytes(content, headers, byStatus);
}
