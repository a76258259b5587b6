import { openSync, readdirSync, readFileSync, readSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/** Finds waits for responses that are neither the services' work nor their waiting for each other. */
export interface Waits {
  /**
   * Milliseconds of the time since `atMs`, by performance.now(), in which a thread of a server was ready and no core was
   * given to it, in which another machine had a core of this one, or in which this process did not look for what had
   * arrived. Waits at the same time count once.
   *
   * @param isOwn - whether the time contains turns of this process's own, so that it counts as well when this process
   *   was ready and had no core
   */
  since(atMs: number, isOwn?: boolean): number;
}

/** Milliseconds between two looks at the servers. Waits that end between `atMs` and the first look after it do not count. */
const lookMs = 20;
/** Looks that are kept: those of ten seconds, longer than a response takes. */
const mostLooks = 500;

interface Look {
  readonly atMs: number;
  /** Milliseconds that this process has waited so far, that each thread of the servers has, and that each core was stolen. */
  readonly waited: readonly number[];
}

/**
 * Looks at the threads of the servers all the time: the main thread and those of V8, for which the main thread waits
 * during a collection.
 *
 * @param servers - their process ids
 */
export function watchWaits(servers: readonly number[]): Waits {
  const threads = [ownThread, ...servers.flatMap(threadsOf)].map(openWaited);
  const look = (): Look => ({
    atMs: performance.now(),
    waited: [...threads.map((waited) => waited()), ...stolen()],
  });
  const looks: Look[] = [];
  setInterval(() => {
    looks.push(look());
    if (looks.length > mostLooks) looks.shift();
  }, lookMs);
  const busySinceLook = watchTurns();
  return {
    since(atMs, isOwn = false) {
      const late = { fromMs: performance.now() - busySinceLook(), toMs: performance.now() };
      const later = [...looks.filter((one) => one.atMs >= atMs), look()];
      const waits = later
        .slice(1)
        .flatMap((end, at) => waitsBetween(later[at] ?? end, end).slice(isOwn ? 0 : 1));
      return lengthOfAll([late, ...waits], atMs);
    },
  };
}

interface Wait {
  readonly fromMs: number;
  readonly toMs: number;
}

/** The kernel counts a wait when it ends, so it may have begun before the first of the two looks. */
function waitsBetween(begin: Look, end: Look): Wait[] {
  return end.waited.map((ms, at) => ({ fromMs: end.atMs - ms + (begin.waited[at] ?? ms), toMs: end.atMs }));
}

/** Milliseconds after `atMs` in which at least one of the waits was. */
function lengthOfAll(waits: readonly Wait[], atMs: number): number {
  let length = 0;
  let endMs = atMs;
  for (const { fromMs, toMs } of waits.toSorted((one, other) => one.fromMs - other.fromMs)) {
    length += Math.max(0, toMs - Math.max(fromMs, endMs));
    endMs = Math.max(endMs, toMs);
  }
  return length;
}

/** The path of this process's main thread. */
const ownThread = '/proc/thread-self';

/** Paths of a process's main thread and those of V8. Node starts all of them before it listens. */
function threadsOf(pid: number): string[] {
  const tasks = `/proc/${pid}/task`;
  return readdirSync(tasks)
    .map((thread) => `${tasks}/${thread}`)
    .filter((path) => /main|v8/i.test(readFileSync(`${path}/comm`, 'latin1')));
}

/**
 * Opens a thread's figures.
 *
 * @returns a function: milliseconds that the thread was ready to run and did not, the second figure of
 *   /proc/pid/task/tid/schedstat, in ns; 0 after its end
 */
function openWaited(path: string): () => number {
  const fd = openSync(`${path}/schedstat`, 'r');
  const text = Buffer.alloc(128);
  return () => {
    try {
      const length = readSync(fd, text, 0, text.length, 0);
      return Number(text.toString('latin1', 0, length).split(' ')[1]) / 1e6;
    } catch {
      return 0;
    }
  };
}

/** Milliseconds that other machines had each core of this one: proc(5), /proc/stat, the eighth figure, in 10 ms. */
function stolen(): number[] {
  const lines = readFileSync('/proc/stat', 'latin1').split('\n', availableParallelism() + 1);
  return lines.slice(1).map((line) => 10 * Number(line.split(' ')[8]));
}

/** Milliseconds between two turns that are marked. */
const turnMs = 2;

/**
 * Follows the turns of this process's event loop. An event that is handled in a turn arrived after the loop had looked
 * for events in the turn before.
 *
 * @returns a function: milliseconds for which an event that is handled now may have waited for this process, because it
 *   was busy or had no core
 */
function watchTurns(): () => number {
  const waited = openWaited(ownThread);
  const now = () => ({ active: performance.eventLoopUtilization().active, waited: waited() });
  let start = now();
  // The check phase of a turn follows its look for events.
  const mark = (): void => {
    start = now();
  };
  setInterval(() => setImmediate(mark), turnMs);
  return () => {
    const end = now();
    return Math.max(end.active - start.active, end.waited - start.waited);
  };
}
