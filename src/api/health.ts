import { startDeadline } from '../deadline.ts';
import { Failure } from '../failures.ts';
import type { ApiContext } from './context.ts';
import type { ProcessorClient } from './upstream/processor-client.ts';

/** A new connection and a call take two round trips, of a second each on a bad day. The manifests' probes wait longer. */
export const readyTimeoutMs = 3_000;

/** /healthz: this process runs. Dependencies are not checked, or their failures would restart this process. */
export function reportAlive(c: ApiContext): Response {
  return c.json({ status: 'ok' }, 200, { 'Cache-Control': 'no-store' });
}

/** Asks a processor whether it serves. @throws the error of the call if none reports in time that it does */
async function checkReady(processor: ProcessorClient, signal: AbortSignal): Promise<void> {
  using deadline = startDeadline(signal, readyTimeoutMs);
  await processor.checkHealth(deadline);
}

/** Whether a processor reports in time that it serves. */
export async function isReady(processor: ProcessorClient): Promise<boolean> {
  return await checkReady(processor, new AbortController().signal).then(
    () => true,
    () => false,
  );
}

/** /readyz: requests sent now would be processed. */
export function reportReady(processor: ProcessorClient, isDraining: () => boolean) {
  return async (c: ApiContext): Promise<Response> => {
    if (isDraining()) throw new Failure('DRAINING', 'This instance is shutting down; ask another.');
    try {
      await checkReady(processor, c.req.raw.signal);
    } catch (cause) {
      throw new Failure(
        'PROCESSOR_UNAVAILABLE',
        `No processor reported within ${readyTimeoutMs} ms that it serves.`,
        { limit: readyTimeoutMs },
        { cause },
      );
    }
    return c.json({ status: 'ready' }, 200, { 'Cache-Control': 'no-store' });
  };
}
