import { addAbortListener } from 'node:events';
import type { DescMethod } from '@bufbuild/protobuf';
import { Code, ConnectError, type ContextValues, type Interceptor } from '@connectrpc/connect';
import { createMethodUrl, invokeUnaryImplementation } from '@connectrpc/connect/protocol';
import { checkLength, type MessageLimit } from '../../grpc/messages/read-messages.ts';
import { bytesInFields } from '../../grpc/messages/written-message.ts';
import { wireError } from '../../grpc/rpc-failures.ts';
import type { LocalServer } from '../../grpc/unary-call.ts';
import { callMemoryKey } from './call-memory.ts';
import { openContext, over, type UnaryMethods } from './unary-methods.ts';

/**
 * Calls of this process: the same methods, interceptors, limits and memory as for those that arrive by gRPC, without
 * HTTP/2 and without copies of the messages.
 *
 * @param limitOf - the longest message of a method
 * @param open - makes the context values of a call with these headers
 * @returns `idle` resolves when no call is under way
 */
export function createLocalCalls(
  methods: UnaryMethods,
  limitOf: (method: DescMethod) => MessageLimit,
  interceptors: Interceptor[],
  open: (headers: Readonly<Record<string, string>>) => ContextValues,
): { readonly call: LocalServer['call']; idle(): Promise<void> } {
  let inFlight = 0;
  const waiting: (() => void)[] = [];

  const run: LocalServer['call'] = async ({ method, message, headers = {}, deadline, takeRoom }) => {
    const spec = methods.find(createMethodUrl('/', method));
    if (spec === undefined) throw new ConnectError(`no method ${method.name}`, Code.Unimplemented);
    const contextValues = open(headers);
    const memory = contextValues.get(callMemoryKey);
    const context = openContext(spec, 'http://localhost', {
      timeoutMs: deadline.remainingMs(),
      requestSignal: deadline.signal,
      requestHeader: new Headers(headers),
      contextValues,
    });
    const { promise: aborted, reject } = Promise.withResolvers<never>();
    try {
      deadline.signal.throwIfAborted();
      using _listening = addAbortListener(deadline.signal, () => reject(deadline.signal.reason));
      const bytes = bytesInFields(method.input, message);
      checkLength(bytes, limitOf(method));
      memory.checkRoom(bytes);
      memory.account.resize(bytes);
      const invoked = invokeUnaryImplementation(spec, context, message, interceptors);
      const response = await Promise.race([invoked, aborted]);
      takeRoom?.(bytesInFields(method.output, response));
      return response as never;
    } catch (error) {
      throw wireError(error);
    } finally {
      context.abort(over);
      memory.account.close();
    }
  };

  return {
    async call(call) {
      inFlight++;
      try {
        return await run(call);
      } finally {
        inFlight--;
        if (inFlight === 0) for (const resolve of waiting.splice(0)) resolve();
      }
    },
    async idle() {
      if (inFlight > 0) await new Promise<void>((resolve) => waiting.push(resolve));
    },
  };
}
