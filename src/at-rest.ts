import process from 'node:process';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Milliseconds between two checks. */
const checkEveryMs = 5000;

/**
 * Most CPU time between two checks, in milliseconds, of a process at rest: timers and probes take 20, a request 3 to 5. A
 * process with so little work is not worth a collection either, which would delay one of its few requests.
 */
const restingMs = 50;

/** CPU time of work since the last collection, in milliseconds, that leaves memory worth collecting. */
const worthwhileMs = 100;

/**
 * Gives memory back to the system when this process has had nothing to do for some seconds: after its start, and
 * after a load. V8 itself collects only when it allocates, and keeps the young generation at its largest size.
 */
export function releaseMemoryAtRest(): void {
  let checkedAt = cpuMs();
  let workMs = checkedAt;
  setInterval(() => {
    const now = cpuMs();
    const usedMs = now - checkedAt;
    checkedAt = now;
    if (usedMs > restingMs) workMs += usedMs;
    else if (workMs >= worthwhileMs) {
      collectAll();
      workMs = 0;
      checkedAt = cpuMs();
    }
  }, checkEveryMs).unref();
}

/** Collects everything and shrinks the heap, which a full collection by itself does not do. It takes some 50 ms. */
export function collectAll(): void {
  collect ??= exposedCollector();
  collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}

type Collector = (options: { type: 'major'; execution: 'sync'; flavor: 'last-resort' }) => void;

let collect: Collector | undefined;

/** V8's function `gc`, which exists in contexts that are made after the flag is set. */
function exposedCollector(): Collector {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as Collector;
}

/** CPU time of this process since it started. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
