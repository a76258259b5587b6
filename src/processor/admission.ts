import { Failure, failureFromAbort } from '../failures.ts';

/** Lets so many pieces of work run at once and so many more wait; beyond that it refuses at once. */
export interface Admission {
  /**
   * Runs `work` when there is room.
   *
   * @throws OVERLOADED when the queue is full, CANCELLED or DEADLINE_EXCEEDED when the signal aborts
   *   while it waits: what nobody waits for isn't started
   */
  run<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T>;
  readonly running: number;
  readonly waiting: number;
}

/**
 * @param what - is going on, for the message of a refusal: `images are being processed`
 * @param maxRunning - pieces of work at once
 * @param maxWaiting - length of the queue, first come first served
 */
export function createAdmission(what: string, maxRunning: number, maxWaiting: number): Admission {
  const queue = new Set<() => void>();
  let running = 0;

  async function enter(signal: AbortSignal): Promise<void> {
    if (signal.aborted) throw failureFromAbort(signal);
    if (running < maxRunning) {
      running++;
      return;
    }
    if (queue.size >= maxWaiting) {
      throw new Failure(
        'OVERLOADED',
        `${maxRunning} ${what} and ${maxWaiting} wait, which is the limit. Try again in a moment.`,
        { limit: maxWaiting, actual: queue.size + 1 },
      );
    }
    await new Promise<void>((resolve, reject) => {
      const start = (): void => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      const leave = (): void => {
        queue.delete(start);
        reject(failureFromAbort(signal));
      };
      signal.addEventListener('abort', leave, { once: true });
      queue.add(start);
    });
  }

  /** The place of one that is done goes to the first that waits. */
  function leave(): void {
    const [next] = queue;
    if (next === undefined) {
      running--;
      return;
    }
    queue.delete(next);
    next();
  }

  return {
    async run(work, signal) {
      await enter(signal);
      try {
        return await work();
      } finally {
        leave();
      }
    },
    get running() {
      return running;
    },
    get waiting() {
      return queue.size;
    },
  };
}
