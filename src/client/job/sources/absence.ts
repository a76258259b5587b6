import { setTimeout as sleep } from 'node:timers/promises';
import { Code, ConnectError } from '@connectrpc/connect';
import { ClientError } from '../../client-error.ts';
import type { ServiceConnection } from '../sending/connection.ts';

type Service = Pick<ServiceConnection, 'name' | 'place'>;

/** Measures the time since the service last responded with an image. */
export function watchAbsence(service: Service, patienceMs: number, onAway: (line: string) => void) {
  let sinceMs: number | undefined;
  let reports = 0;
  return {
    end(): void {
      sinceMs = undefined;
      reports = 0;
    },
    /**
     * Waits before the next try: as long as the service asks for, else longer each time.
     *
     * @throws ClientError after the longest wait
     */
    async report(why: string, stop: AbortSignal, askedMs = 0): Promise<void> {
      sinceMs ??= performance.now();
      if (performance.now() - sinceMs >= patienceMs + 2 * askedMs) throw unavailable(service, why);
      if (reports === 0) onAway(`waiting for ${service.name} ${service.place}: ${why}`);
      await sleep(Math.max(askedMs, Math.min(2_000, 100 * 2 ** reports++)), undefined, { signal: stop });
    },
  };
}

export type Absence = ReturnType<typeof watchAbsence>;

/** Waits until the service reports that it serves. */
export async function reachService(
  connection: ServiceConnection,
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
      if (error instanceof ClientError) throw error;
      const { code, rawMessage } = ConnectError.from(error);
      const isTransient = ![Code.Unimplemented, Code.Unauthenticated, Code.PermissionDenied].includes(code);
      if (!isTransient) throw unavailable(connection, rawMessage);
      why = rawMessage;
    }
    await away.report(why, stop);
  }
}

function unavailable({ name, place }: Service, why: string): ClientError {
  const [reason, flag] =
    name === 'image-api' ? ['SERVICE_UNREACHABLE', '--api'] : ['PROCESSOR_UNAVAILABLE', '--processor'];
  return new ClientError(
    'unavailable',
    reason,
    `${name} ${place} cannot be reached (${why}); ${flag} sets its address, --patience the longest wait.`,
  );
}
