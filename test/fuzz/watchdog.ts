import { writeSync } from 'node:fs';
import process from 'node:process';
import { isMainThread, Worker, workerData } from 'node:worker_threads';

/** Milliseconds without a new case, until the thread that runs them is taken for hung. */
const hangMs = 60_000;

export interface Watchdog {
  /** A case begins. */
  begin(index: number): void;
  end(): void;
}

/** Ends the process when its main thread hangs, and says in which case: a parser's loop can't be stopped from within. */
export function watchForHangs(): Watchdog {
  const shared = new Int32Array(new SharedArrayBuffer(8));
  const worker = new Worker(new URL(import.meta.url), { workerData: shared });
  worker.unref();
  return {
    begin(index) {
      Atomics.store(shared, 0, index);
      Atomics.add(shared, 1, 1);
    },
    end: () => void worker.terminate(),
  };
}

if (!isMainThread) {
  const shared = workerData as Int32Array<SharedArrayBuffer>;
  let seen = -1;
  setInterval(() => {
    const begun = Atomics.load(shared, 1);
    if (begun === seen) {
      writeSync(1, `case ${Atomics.load(shared, 0)} hangs, or one of those shortly before it\n`);
      process.kill(process.pid, 'SIGABRT');
    }
    seen = begun;
  }, hangMs);
}
