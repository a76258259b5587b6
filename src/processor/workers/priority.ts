import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { getPriority, setPriority } from 'node:os';
import process from 'node:process';

/** From sched.h. */
const schedIdle = 5;

/** Where the system has no SCHED_IDLE. */
const niceness = 10;

/**
 * Lets this process have a core only while nobody else of the same container (or session) wants it, and give it up the
 * moment that somebody does: sched(7), SCHED_IDLE. To be nice is not enough for that. A nice process may finish its slice
 * first, some milliseconds that the server's callers wait each time, and so do the helpers of the server's collector,
 * for which all of it waits. Each thread has a policy of its own, and those of this process's collector and compiler are
 * there already: without them a service waited up to 20 ms for a worker's.
 *
 * @returns whether the system has it; else the process is nice
 */
export function goLast(): boolean {
  if (process.platform !== 'linux') return false;
  // Lowering its own niceness would take a privilege.
  if (getPriority() < niceness) setPriority(niceness);
  try {
    // Not an import: koffi has no binary for every platform that Node has.
    const koffi = createRequire(import.meta.url)('koffi') as typeof import('koffi');
    const set = koffi
      .load('libc.so.6')
      .func('int sched_setscheduler(int pid, int policy, const int *priority)');
    const threads = readdirSync('/proc/self/task').map(Number);
    return threads.map((thread) => set(thread, schedIdle, [0]) === 0).every(Boolean);
  } catch {
    return false;
  }
}
