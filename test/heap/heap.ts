import { once } from 'node:events';
import type { ServiceProcess } from '../faults/processes.ts';
import { type LiveMemory, liveMemoryExpression } from './live-memory.ts';

/** Flags for Node with which `openHeap` can look into a process: an inspector on a free loopback port. */
export const heapFlags: readonly string[] = ['--inspect=127.0.0.1:0'];

/** The JavaScript heap of a service's serving process. */
export interface Heap extends Disposable {
  /** Collects garbage until a collection frees nothing more, and returns the bytes that are left. */
  bytesAfterCollection(): Promise<number>;
  /** Collects garbage and looks at all memory in use. Nothing must be under way. */
  live(): Promise<LiveMemory>;
}

/** The results of the methods that are called. */
interface InspectorResult {
  readonly usedSize?: number;
  readonly result?: { readonly value?: LiveMemory };
  readonly exceptionDetails?: unknown;
}

/** Collections in a row: the first may only queue finalisers that free more. */
const mostCollections = 5;

/**
 * Connects to the inspector of a service that was started with `heapFlags` (Chrome DevTools Protocol, HeapProfiler and
 * Runtime). The service needs no code for it.
 */
export async function openHeap(service: ServiceProcess): Promise<Heap> {
  const [url] = /ws:\/\/\S+/.exec(service.log.join('\n')) ?? [];
  if (url === undefined) throw new Error(`image-${service.name} has no inspector`);
  const socket = new WebSocket(url);
  await once(socket, 'open');
  const pending = new Map<number, (result: InspectorResult) => void>();
  socket.addEventListener('message', ({ data }) => {
    const { id, result } = JSON.parse(String(data));
    pending.get(id)?.(result);
    pending.delete(id);
  });
  let calls = 0;
  const call = (method: string, params?: object) =>
    new Promise<InspectorResult>((resolve) => {
      pending.set(++calls, resolve);
      socket.send(JSON.stringify({ id: calls, method, params }));
    });
  return {
    async bytesAfterCollection() {
      let least = Number.POSITIVE_INFINITY;
      for (let round = 0; round < mostCollections; round++) {
        await call('HeapProfiler.collectGarbage');
        const { usedSize = Number.NaN } = await call('Runtime.getHeapUsage');
        least = Math.min(least, usedSize);
      }
      return least;
    },
    async live() {
      const { result, exceptionDetails } = await call('Runtime.evaluate', {
        expression: liveMemoryExpression(),
        awaitPromise: true,
        returnByValue: true,
      });
      if (result?.value === undefined) throw new Error(JSON.stringify(exceptionDetails));
      return result.value;
    },
    [Symbol.dispose]: () => socket.close(),
  };
}
