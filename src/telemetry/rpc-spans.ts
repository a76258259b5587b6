import type { DescMethod } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import { failureFromConnectError } from '../grpc/rpc-failures.ts';

/*
 * OpenTelemetry's names for gRPC calls, by its semantic conventions 1.45: `rpc.status_code` is a word where it was
 * `rpc.grpc.status_code`, a number.
 */

/** Attributes that are known when a call begins. `rpc.method` is also the name of its span. */
export function rpcAttributes(method: DescMethod) {
  return {
    'rpc.system.name': 'grpc',
    'rpc.method': `${method.parent.typeName}/${method.name}`,
  } as const;
}

/** Statuses that count as errors of the server. */
const serverErrors: readonly Code[] = [
  Code.Unknown,
  Code.DeadlineExceeded,
  Code.Unimplemented,
  Code.Internal,
  Code.Unavailable,
  Code.DataLoss,
];

/** How a call ended, for its span. `error.type` is our reason where there is one, and else the status. */
export function rpcEnd(side: 'client' | 'server', error?: unknown) {
  if (error === undefined) return { attributes: { 'rpc.status_code': 'OK' } };
  const { code } = ConnectError.from(error);
  const status = statusName(code);
  return {
    attributes: { 'rpc.status_code': status },
    errorType: failureFromConnectError(ConnectError.from(error))?.reason ?? status,
    isError: side === 'client' || serverErrors.includes(code),
  };
}

/**
 * Passes on the messages of a stream. Calls `end` once, after the last message or with the error that ends the stream.
 * The signal reports a reader that has left: Connect then stops reading without ending the generator.
 */
export function endAfter<Message>(
  messages: AsyncIterable<Message>,
  signal: AbortSignal | undefined,
  end: (error?: unknown) => void,
): AsyncIterable<Message> {
  let isOver = false;
  function endOnce(error?: unknown): void {
    if (isOver) return;
    isOver = true;
    end(error);
  }
  if (signal?.aborted) endOnce(signal.reason);
  else signal?.addEventListener('abort', () => endOnce(signal.reason), { once: true });
  return passing(messages, endOnce);
}

async function* passing<Message>(messages: AsyncIterable<Message>, end: (error?: unknown) => void) {
  try {
    yield* messages;
    end();
  } catch (error) {
    end(error);
    throw error;
  }
}

/** `DEADLINE_EXCEEDED` of `DeadlineExceeded`; gRPC spells CANCELLED with two L. */
function statusName(code: Code): string {
  if (code === Code.Canceled) return 'CANCELLED';
  return (Code[code] ?? 'UNKNOWN').replace(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase();
}
