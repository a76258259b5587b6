import { setTimeout as sleep } from 'node:timers/promises';
import { Code, ConnectError } from '@connectrpc/connect';
import { ClientError } from '../../client-error.ts';
import type { ProcessorConnection } from '../sending/connection.ts';

/** Measures the time since the processor last responded with an image. */
export function watchAbsence(patienceMs: number, onAway: (why: string) => void) {
  let sinceMs: number | undefined;
  let reports = 0;
  return {
    end(): void {
      sinceMs = undefined;
      reports = 0;
    },
    /** Waits before the next try, longer each time. @throws ClientError after the longest wait */
    async report(why: string, stop: AbortSignal): Promise<void> {
      sinceMs ??= performance.now();
      if (performance.now() - sinceMs >= patienceMs) throw unavailable(why);
      if (reports === 0) onAway(why);
      await sleep(Math.min(2_000, 100 * 2 ** reports++), undefined, { signal: stop });
    },
  };
}

export type Absence = ReturnType<typeof watchAbsence>;

/** Waits until the processor reports that it serves. */
export async function reachProcessor(
  connection: ProcessorConnection,
  patienceMs: number,
  away: Absence,
  stop: AbortSignal,
): Promise<void> {
  for (;;) {
    stop.throwIfAborted();
    let why = 'it reports that it does not serve';
    try {
      if (await connection.isServing(Math.min(5_000, patienceMs), stop)) return;
    } catch (error) {
      stop.throwIfAborted();
      const { code, rawMessage } = ConnectError.from(error);
      const isTransient = ![Code.Unimplemented, Code.Unauthenticated, Code.PermissionDenied].includes(code);
      if (!isTransient) throw unavailable(rawMessage);
      why = rawMessage;
    }
    await away.report(why, stop);
  }
}

function unavailable(why: string): ClientError {
  return new ClientError(
    'unavailable',
    'PROCESSOR_UNAVAILABLE',
    `The processor cannot be reached (${why}); --processor sets its address, --patience the longest wait.`,
  );
}
