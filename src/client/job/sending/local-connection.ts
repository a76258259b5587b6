import type { DescMessage, MessageShape } from '@bufbuild/protobuf';
import { ProcessorService, type ProcessRequest } from '../../../../gen/image/v1/processor_pb.ts';
import { startDeadline } from '../../../deadline.ts';
import { EnvironmentError } from '../../../environment.ts';
import { serves } from '../../../grpc/serves.ts';
import type { LocalServer, UnaryMethod } from '../../../grpc/unary-call.ts';
import { ClientError } from '../../client-error.ts';
import { codeOf } from '../../files.ts';
import { runCalls } from './calls.ts';
import type { ServiceConnection } from './connection.ts';

interface OpenedProcessor extends LocalServer {
  drain(): Promise<void>;
}

/**
 * image-processor in this process. It opens with the first call, and is called without a connection.
 *
 * @param environment - of image-processor
 */
export function openHere(environment: Readonly<Record<string, string | undefined>>): ServiceConnection {
  let opening: Promise<OpenedProcessor> | undefined;
  const { method } = ProcessorService;

  /** @throws ClientError ENVIRONMENT_INVALID, PROCESSOR_MISSING */
  function open(): Promise<OpenedProcessor> {
    opening ??= openProcessor(environment);
    return opening;
  }

  async function call<Input extends DescMessage, Output extends DescMessage>(
    called: UnaryMethod<Input, Output>,
    message: MessageShape<Input>,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<MessageShape<Output>> {
    const processor = await open();
    using deadline = startDeadline(signal, timeoutMs);
    return await processor.call({ method: called, message, deadline });
  }
  const process = (request: ProcessRequest, timeoutMs: number, signal: AbortSignal) =>
    call(method.process, request, timeoutMs, signal);

  return {
    name: 'image-processor',
    place: 'in this program',
    process,
    describe: (request, timeoutMs, signal) => call(method.describe, request, timeoutMs, signal),
    skew: (request, timeoutMs, signal) => call(method.skew, request, timeoutMs, signal),
    async isServing(timeoutMs, signal) {
      const processor = await open();
      using deadline = startDeadline(signal, timeoutMs);
      return await serves(processor.call, deadline);
    },
    sendImages: (queue, patienceMs, away, stop) => runCalls(queue, process, patienceMs, away, stop),
    async close() {
      const processor = await opening?.catch(() => undefined);
      await processor?.drain();
    },
  };
}

/** The only import of a service here: record 43. */
async function openProcessor(
  environment: Readonly<Record<string, string | undefined>>,
): Promise<OpenedProcessor> {
  try {
    const { openLocalProcessor } = await import('../../../processor/local.ts');
    return await openLocalProcessor(environment);
  } catch (cause) {
    if (cause instanceof EnvironmentError) {
      throw new ClientError('usage', 'ENVIRONMENT_INVALID', `For --local: ${cause.message}`, { cause });
    }
    if (codeOf(cause) !== 'ERR_MODULE_NOT_FOUND') throw cause;
    const message =
      'This installation does not contain image-processor, which --local needs; --processor names one that runs, and the npm package and the image image-service contain it.';
    throw new ClientError('usage', 'PROCESSOR_MISSING', message, { cause });
  }
}
