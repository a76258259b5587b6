import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from './telemetry/telemetry.ts';

/**
 * Ends the process well on SIGTERM and SIGINT: `drain` refuses new work and waits for the work in flight,
 * then the process exits with 0. After `timeoutMs`, or at a second signal, it exits with 1 at once.
 */
export function drainOnSignal(drain: () => Promise<void>, timeoutMs: number, log: Logger): void {
  let draining = false;
  const onSignal = async (signal: NodeJS.Signals): Promise<void> => {
    if (draining) {
      log.warn({ signal }, 'second signal, ending at once');
      process.exit(1);
    }
    draining = true;
    process.exit(await drainWithin(drain, timeoutMs, log, { signal }));
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
}

/**
 * Drains, and logs it.
 *
 * @param why - fields of the log's first line
 * @returns the exit code: 0, or 1 if `drain` failed or took longer than `timeoutMs`
 */
export async function drainWithin(
  drain: () => Promise<void>,
  timeoutMs: number,
  log: Logger,
  why: Readonly<Record<string, string>> = {},
): Promise<0 | 1> {
  log.info(why, 'draining');
  const limit = sleep(timeoutMs, 'late', { ref: false });
  try {
    const end = await Promise.race([drain().then(() => 'drained'), limit]);
    log.info({ end }, 'bye');
    return end === 'drained' ? 0 : 1;
  } catch (error) {
    log.error({ err: error }, 'could not drain');
    return 1;
  }
}
