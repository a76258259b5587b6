import { fork } from 'node:child_process';
import { once } from 'node:events';
import { endWithUs } from './processes.ts';

/** A request that is sent again and again. */
export interface LoadRequest {
  /** Path and query. */
  readonly path: string;
  /** Unset: a GET. A JPEG or PNG gets a comment of its own each time, so that no cache knows it, if `isFresh`. */
  readonly body?: Uint8Array;
  readonly contentType?: string;
  readonly isFresh?: boolean;
  /** SHA-256 in hex of the right response. Unset: it is not compared. */
  readonly answer?: string;
  /** Its name in the records. */
  readonly kind: string;
  /**
   * `leaves`: hangs up with half of its body sent, or right after all of it. `slowly`: 1 KB a second.
   * Neither has an outcome.
   */
  readonly manner?: 'leaves' | 'slowly';
}

/** The requests, and their rate. */
export interface Turn {
  /** In turn, each as often as it stands here. */
  readonly requests: readonly LoadRequest[];
  /** So many at once, or so many a second, whatever becomes of those before. */
  readonly pace: { readonly inFlight: number } | { readonly perSecond: number };
}

/** Where a load goes, and its first turn. */
export interface LoadSpec extends Turn {
  readonly url: string;
  /** Process ids that serve: what they stood ready without a core is in the records. */
  readonly servers?: readonly number[];
  /** Also asked ten times a second: `/healthz` of the API, gRPC health of these processors. */
  readonly health?: readonly string[];
}

/** How one request ended. Times in milliseconds since the load's start. */
export interface LoadRecord {
  readonly kind: string;
  readonly startedAt: number;
  readonly endedAt: number;
  /** HTTP status; 0 for a connection that broke. */
  readonly status: number;
  /** Of the problem, or what broke. */
  readonly reason: string;
  /** From the last byte sent to the first byte received. */
  readonly answeredAfter: number;
  /** The part of it that waits.ts finds, where `answeredAfter` is more than 20 ms; else 0. */
  readonly withoutCore: number;
  readonly isWrong: boolean;
}

export interface LoadResult {
  readonly records: readonly LoadRecord[];
  readonly durationMs: number;
  /** By what was asked. */
  readonly health: Readonly<Record<string, readonly HealthCheck[]>>;
}

export interface HealthCheck {
  /** Milliseconds from the request to its response; Infinity where it failed. */
  readonly ms: number;
  /** The part of it that waits.ts finds, where it took more than 20 ms; else 0. */
  readonly withoutCore: number;
}

/** How far a load is. */
export interface LoadMark {
  /** Milliseconds since its start. */
  readonly atMs: number;
  /** Responses with status 200 so far. */
  readonly good: number;
}

/** A load that goes on in a process of its own. */
export interface Load {
  /** Sends these requests at this pace from now on, and no more of those before. */
  turnTo(turn: Turn): Promise<LoadMark>;
  /** How far it is. */
  mark(): Promise<LoadMark>;
  /** Sends nothing more, waits for what is out (5 s at most after its end), and tells. */
  stop(): Promise<LoadResult>;
}

/** Starts a load from another process, which goes before all others where it may, so that it measures and not waits. */
export async function startLoad(spec: LoadSpec): Promise<Load> {
  const child = fork(new URL('./load-process.ts', import.meta.url), { serialization: 'advanced' });
  endWithUs(child);
  const exited = once(child, 'exit').then(([code, signal]) => {
    throw new Error(`the process that sends ended with ${code ?? signal}`);
  });
  exited.catch(() => {});
  const message = async (): Promise<unknown> => (await Promise.race([once(child, 'message'), exited]))[0];
  await message();
  const begun = message();
  child.send(spec);
  await begun;
  const marked = async (order: Turn | 'mark'): Promise<LoadMark> => {
    const mark = message();
    child.send(order);
    return (await mark) as LoadMark;
  };
  return {
    turnTo: marked,
    mark: () => marked('mark'),
    async stop() {
      const result = message();
      child.send('stop');
      const told = (await result) as LoadResult;
      child.disconnect();
      return told;
    },
  };
}

/** Runs a load for a time. */
export async function loadFor(milliseconds: number, spec: LoadSpec): Promise<LoadResult> {
  const load = await startLoad(spec);
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
  return load.stop();
}

/** Requests that should have succeeded and did not, or had the wrong response. */
export function failuresOf({ records }: LoadResult): LoadRecord[] {
  return records.filter(({ status, isWrong }) => status !== 200 || isWrong);
}

/** Milliseconds of the slowest of these checks, less the waits that are not the services'. */
export function slowestOf(checks: readonly HealthCheck[]): number {
  return Math.max(...checks.map(({ ms, withoutCore }) => ms - withoutCore));
}

/** The reasons and how often, for a person. */
export function reasonsOf(records: readonly LoadRecord[]): string {
  const counts = new Map<string, number>();
  for (const { reason, isWrong } of records) {
    const name = isWrong ? 'wrong answer' : reason;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return Array.from(counts, ([name, count]) => `${count} ${name}`).join(', ');
}
