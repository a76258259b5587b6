import { createRequire } from 'node:module';
import process from 'node:process';

/** From sys/prctl.h. */
const setParentDeathSignal = 1;
/** From signal.h. */
const sigkill = 9;

/** Milliseconds between two checks of the parent, if the system does not report its death. */
const parentCheckMs = 1000;

/**
 * Ends this process when its parent ends, for any reason and in any state: PR_SET_PDEATHSIG of prctl(2) kills it even
 * inside a decoder that does not return. Without prctl, a timer checks the parent, but only between two steps of a job.
 *
 * If the parent ended before this call, the closed channel ends the process.
 */
export function endWithParent(): void {
  const parent = process.ppid;
  if (killWithParent()) return;
  setInterval(() => {
    if (process.ppid !== parent) process.exit();
  }, parentCheckMs).unref();
}

/** @returns whether the system supports it */
function killWithParent(): boolean {
  if (process.platform !== 'linux') return false;
  try {
    // Not an import: koffi has no binary for every platform that Node has.
    const koffi = createRequire(import.meta.url)('koffi') as typeof import('koffi');
    const prctl = koffi
      .load('libc.so.6')
      .func('int prctl(int option, unsigned long signal, unsigned long, unsigned long, unsigned long)');
    return prctl(setParentDeathSignal, sigkill, 0, 0, 0) === 0;
  } catch {
    return false;
  }
}
