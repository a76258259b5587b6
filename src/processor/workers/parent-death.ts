import { createRequire } from 'node:module';
import process from 'node:process';

/** From sys/prctl.h. */
const setParentDeathSignal = 1;
/** From signal.h. */
const sigkill = 9;

/** Milliseconds between two looks at the parent, where the system doesn't tell of its death. */
const parentCheckMs = 1000;

/**
 * Ends this process when its parent ends, however that ends and whatever this process does: PR_SET_PDEATHSIG of prctl(2)
 * kills it even in the middle of a decoder that doesn't return. Where there is no prctl, a timer looks, which runs only
 * between two steps of a job.
 *
 * A parent that ended before this call is found by the closed channel to it.
 */
export function endWithParent(): void {
  const parent = process.ppid;
  if (killWithParent()) return;
  setInterval(() => {
    if (process.ppid !== parent) process.exit();
  }, parentCheckMs).unref();
}

/** @returns whether the system does it */
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
