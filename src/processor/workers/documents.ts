import {
  crashOf,
  startProcesses,
  type WorkerEvents,
  type WorkerLimits,
  type WorkerProcesses,
} from './processes.ts';
import type { WorkerRoles } from './worker-process.ts';

/** Milliseconds without a job after which the processes end and give their memory back. */
const idleMs = 60_000;

type DocumentProcesses = WorkerProcesses<WorkerRoles['documents']['job'], WorkerRoles['documents']['result']>;

/**
 * The processes that read documents and draw their pages. They start with the first document, and end when there has
 * been none for a while, so that a service without documents has the memory of none.
 *
 * @param count - number of processes, each with one page at a time
 */
export function createDocumentProcesses(
  count: number,
  limits: WorkerLimits,
  events: WorkerEvents,
): Omit<DocumentProcesses, 'ready'> {
  let processes: DocumentProcesses | undefined;
  let jobs = 0;
  let idle: NodeJS.Timeout | undefined;
  let isClosed = false;

  function end(): void {
    // A failure to end would leave a process that ends with this one.
    void processes?.close();
    processes = undefined;
  }

  return {
    async run(job, signal) {
      clearTimeout(idle);
      if (isClosed) throw crashOf('it was closed');
      processes ??= startProcesses('documents', count, limits, events);
      jobs++;
      try {
        return await processes.run(job, signal);
      } finally {
        jobs--;
        if (jobs === 0 && !isClosed) idle = setTimeout(end, idleMs).unref();
      }
    },
    pids: () => processes?.pids() ?? [],
    busy: () => processes?.busy() ?? 0,
    async close() {
      isClosed = true;
      clearTimeout(idle);
      await processes?.close();
    },
  };
}
