import { Failure } from '../../src/failures.ts';
import type { Random } from './random.ts';

/** How one case ended. */
export interface Outcome {
  /** `OK`, or the reason of the failure; anything else has no place in the table. */
  readonly reason: string;
  /** Unset: all is well. Else what is wrong. */
  readonly finding?: string;
}

/** One case, ready to be run, and what is kept of it if something is found. */
export interface Case {
  readonly input: Readonly<Record<string, Uint8Array | string>>;
  run(): Promise<Outcome> | Outcome;
}

/** A place where bytes from outside come in. */
export interface Door extends AsyncDisposable {
  readonly name: string;
  /** How many of all cases are its own, beside the shares of the other interfaces. */
  readonly share: number;
  make(random: Random): Case;
}

/** Longest time for the work of an interface on its own thread, in milliseconds; it takes a few. */
const longestMs = 2000;

/**
 * Runs what either works, or throws a Failure with one of the reasons; everything else is a finding, and so is
 * taking too long.
 */
export async function outcomeOf(
  expected: ReadonlySet<string>,
  work: () => unknown,
  limitMs = longestMs,
): Promise<Outcome> {
  const start = performance.now();
  const reason = await reasonOf(work);
  const tookMs = performance.now() - start;
  const finding =
    reason !== 'OK' && !expected.has(reason)
      ? `an unexpected end: ${reason}`
      : tookMs > limitMs
        ? `it took ${Math.round(tookMs)} ms`
        : undefined;
  return finding === undefined ? { reason } : { reason, finding };
}

async function reasonOf(work: () => unknown): Promise<string> {
  try {
    await work();
    return 'OK';
  } catch (error) {
    if (error instanceof Failure) return error.reason;
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
}
