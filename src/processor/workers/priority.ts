import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { getPriority, setPriority } from 'node:os';
import process from 'node:process';

/** From sched.h. */
const schedIdle = 5;

/** For systems without SCHED_IDLE. */
const niceness = 10;

/**
 * Makes this process run only when no other process of the same container (or session) needs the core: SCHED_IDLE of
 * sched(7). It yields as soon as one does.
 *
 * A high nice value is not enough. A nice process may finish its time slice first, a few milliseconds for which the
 * server's callers wait each time; it may also delay the helper threads of the server's collector, for which the whole
 * server waits.
 *
 * The policy is set for each existing thread, including those of this process's collector and compiler: without them
 * the service waited up to 20 ms for a worker's threads.
 *
 * @returns whether the system has SCHED_IDLE; without it, the process only gets a high nice value
 */
export function lowerPriority(): boolean {
  if (process.platform !== 'linux') return false;
  // Lowering the nice value would take a privilege.
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
