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

/**
 * Processes of a role that few images need. They start with the first job, and end when there has been none for a
 * while, so that a service without such images does not have their memory.
 *
 * @param count - number of processes, each with one job at a time
 */
export function createLazyProcesses<Name extends keyof WorkerRoles>(
  role: Name,
  count: number,
  limits: WorkerLimits,
  events: WorkerEvents,
): Omit<WorkerProcesses<WorkerRoles[Name]['job'], WorkerRoles[Name]['result']>, 'ready'> {
  let processes: ReturnType<typeof startProcesses<Name>> | undefined;
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
      processes ??= startProcesses(role, count, limits, events);
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
