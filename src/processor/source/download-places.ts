import { addAbortListener } from 'node:events';
import { Failure, failureFromAbort } from '../../failures.ts';

/** The caller and the origin of a download. */
export interface DownloadParties {
  /** Name of the caller: see caller.ts. */
  readonly caller: string;
  /** Host and port of the URL. */
  readonly origin: string;
}

/**
 * Bounds running and waiting downloads, and so the bytes they hold. One origin gets at most half of either, and so does
 * one caller, so a slow origin or a greedy caller leaves places to others. Waiting downloads start in order of arrival,
 * except that those whose origin or caller already has its half are passed over.
 */
export interface DownloadPlaces {
  /**
   * Runs `work` when there is a place.
   *
   * @throws OVERLOADED, with `bound` (`all`, `origin` or `caller`) and `retry_after_seconds`; CANCELLED or
   *   DEADLINE_EXCEEDED when the signal aborts while it waits
   */
  run<T>(work: () => Promise<T>, parties: DownloadParties, signal: AbortSignal): Promise<T>;
  readonly running: number;
  readonly waiting: number;
}

interface Waiting extends DownloadParties {
  start(): void;
}

/**
 * @param maxRunning - downloads at once
 * @param maxWaiting - more of them, before others are refused
 */
export function createDownloadPlaces(maxRunning: number, maxWaiting: number): DownloadPlaces {
  const running = new Set<DownloadParties>();
  const waiting = new Set<Waiting>();
  const [runningShare, waitingShare] = [half(maxRunning), half(maxWaiting)];

  function mayStart(parties: DownloadParties): boolean {
    return running.size < maxRunning && bounds.every((side) => count(running, parties, side) < runningShare);
  }

  function checkRoom(parties: DownloadParties): void {
    for (const side of bounds) {
      if (count(waiting, parties, side) >= waitingShare) {
        throw full(side, count(running, parties, side), waitingShare, runningShare);
      }
    }
    if (waiting.size >= maxWaiting) throw full('all', running.size, maxWaiting, maxRunning);
  }

  function enter(parties: DownloadParties, signal: AbortSignal): Promise<void> | undefined {
    if (signal.aborted) throw failureFromAbort(signal);
    if (mayStart(parties)) {
      running.add(parties);
      return undefined;
    }
    checkRoom(parties);
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        waiting.delete(one);
        reject(failureFromAbort(signal));
      };
      const one: Waiting = {
        ...parties,
        start() {
          listening[Symbol.dispose]();
          waiting.delete(one);
          running.add(parties);
          resolve();
        },
      };
      const listening = addAbortListener(signal, leave);
      waiting.add(one);
    });
  }

  return {
    async run(work, { caller, origin }, signal) {
      // A new object: the same parties may have several downloads.
      const parties = { caller, origin };
      await enter(parties, signal);
      try {
        return await work();
      } finally {
        running.delete(parties);
        for (const one of waiting) if (mayStart(one)) one.start();
      }
    },
    get running() {
      return running.size;
    },
    get waiting() {
      return waiting.size;
    },
  };
}

const bounds = ['origin', 'caller'] as const;

/** Half of the places, at least one. */
function half(places: number): number {
  return Math.ceil(places / 2);
}

function count(
  among: Iterable<DownloadParties>,
  parties: DownloadParties,
  side: keyof DownloadParties,
): number {
  let total = 0;
  for (const one of among) if (one[side] === parties[side]) total++;
  return total;
}

function full(bound: 'all' | keyof DownloadParties, running: number, limit: number, places: number): Failure {
  const whose = { all: '', origin: ' from this host', caller: ' for this caller' }[bound];
  // A download takes about a second.
  const seconds = Math.max(1, Math.ceil(limit / places));
  return new Failure(
    'OVERLOADED',
    `${running} URLs are being downloaded${whose} and ${limit} wait, which is the limit. Try again in ${seconds === 1 ? 'a moment' : `${seconds} seconds`}.`,
    { bound, limit, actual: limit + 1, retry_after_seconds: seconds },
  );
}
