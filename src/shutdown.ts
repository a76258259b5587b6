import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from './telemetry/telemetry.ts';

/**
 * Ends the process well on SIGTERM and SIGINT: `drain` refuses new work and waits for the work in flight,
 * then the process exits with 0. After `timeoutMs`, or at a second signal, it exits with 1 at once.
 */
export function drainOnSignal(drain: () => Promise<void>, timeoutMs: number, log: Logger): void {
  let draining = false;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (draining) {
      log.warn({ signal }, 'second signal, ending at once');
      process.exit(1);
    }
    draining = true;
    log.info({ signal }, 'draining');
    const limit = sleep(timeoutMs, 'late', { ref: false });
    Promise.race([drain().then(() => 'drained'), limit]).then(
      (end) => {
        log.info({ end }, 'bye');
        process.exit(end === 'drained' ? 0 : 1);
      },
      (error: unknown) => {
        log.error({ err: error }, 'could not drain');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
}
