import { failureFromAbort } from '../../failures.ts';
import type { Plan } from '../image/plan.ts';
import type { Outcome } from '../outcome.ts';
import { createSingleFlight } from '../single-flight.ts';
import type { CacheTier, TierName } from './cache-tier.ts';

/** A value and its origin. */
export interface Found {
  readonly value: Uint8Array;
  /** A tier, the caller's own computation, or the computation of a caller with the same key. */
  readonly from: TierName | 'computed' | 'shared';
}

/** A computed value, and a report that only the caller whose `compute` ran gets. */
export interface Computed<Report> {
  readonly value: Uint8Array;
  readonly report: Report;
}

/** A key and the input from which its value is computed. */
export interface Keyed {
  readonly key: string;
  /** Of the response; undefined for other values. */
  readonly plan?: Plan;
}

/**
 * Computes the missing values of one call.
 *
 * @param missing - keys that are in no tier and that no other call is computing
 * @param signal - aborts when every caller that waits for one of them has left
 * @returns an outcome for each, in their order: a caller that waits for one key must not fail with another. Failures
 *   are not stored
 */
export type Compute<Item extends Keyed, Report> = (
  missing: readonly Item[],
  signal: AbortSignal,
) => Promise<readonly Outcome<Computed<Report>>[]>;

export interface ResultCache<Report> {
  get(key: string): Promise<Found | undefined>;
  /** The values of all keys, or undefined if one of them is missing. */
  getAll(items: readonly Keyed[]): Promise<readonly Found[] | undefined>;
  /**
   * For each key the value of the first tier that has it, or else of `compute`. Calls at the same time for the same key
   * compute it once. The call does not wait until a computed value is stored in Redis.
   *
   * @returns an outcome for each key, in their order, with the report where this call's `compute` ran. The error is
   *   Failure CANCELLED or DEADLINE_EXCEEDED if the caller's signal aborts
   */
  getOrCompute<Item extends Keyed>(
    items: readonly Item[],
    signal: AbortSignal,
    compute: Compute<Item, Report>,
  ): Promise<readonly Outcome<Found & { readonly report?: Report }>[]>;
  /** Stores a value in every tier. It never rejects, so the caller need not wait for it. */
  set(key: string, value: Uint8Array, ttlMs?: number): Promise<void>;
  close(): Promise<void>;
}

/**
 * Results by key in several tiers.
 *
 * A tier that fails is reported to `onError` and counts as a miss: a cache never fails a request.
 *
 * @param options.tiers - the nearest first
 */
export function createResultCache<Report>(options: {
  tiers: readonly CacheTier[];
  onLookup?: (tier: TierName, hit: boolean) => void;
  onError?: (tier: TierName, error: unknown) => void;
}): ResultCache<Report> {
  const { tiers, onLookup, onError } = options;
  // A hit in memory costs less than a flight; a request to Redis does not.
  const nearTiers = tiers.filter((tier) => tier.name === 'memory');
  const farTiers = tiers.filter((tier) => tier.name !== 'memory');
  const flights = createSingleFlight<Landed<Report>>();

  async function attempt<T>(tier: CacheTier, action: () => Promise<T>): Promise<T | undefined> {
    try {
      return await action();
    } catch (error) {
      onError?.(tier.name, error);
      return undefined;
    }
  }

  async function lookUp(
    among: readonly CacheTier[],
    { key, plan }: Keyed,
  ): Promise<{ value: Uint8Array; from: TierName } | undefined> {
    for (const tier of among) {
      const entry = await attempt(tier, () => tier.get(key, plan));
      onLookup?.(tier.name, entry !== undefined);
      if (entry !== undefined) {
        void store(tiers.slice(0, tiers.indexOf(tier)), key, entry.value, entry.ttlMs);
        return { value: entry.value, from: tier.name };
      }
    }
    return undefined;
  }

  async function store(
    into: readonly CacheTier[],
    key: string,
    value: Uint8Array,
    ttlMs?: number,
  ): Promise<void> {
    await Promise.all(into.map((tier) => attempt(tier, () => tier.set(key, value, ttlMs))));
  }

  /** Joins or starts a flight for each key. The values that no far tier has are computed together. */
  function fly<Item extends Keyed>(
    items: readonly Item[],
    signal: AbortSignal,
    compute: Compute<Item, Report>,
  ): readonly Promise<{ value: Landed<Report>; shared: boolean }>[] {
    const lookups: Promise<unknown>[] = [];
    const needs: Need<Item, Report>[] = [];
    const flown = items.map((item) =>
      // `run` calls this at once, or not at all if a flight with this key is under way.
      flights.run(item.key, signal, (sharedSignal) => {
        const lookup = lookUp(farTiers, item);
        lookups.push(lookup);
        return lookup.then(
          (found) =>
            found ??
            new Promise<Landed<Report>>((resolve, reject) =>
              needs.push({ item, signal: sharedSignal, resolve, reject }),
            ),
        );
      }),
    );
    void Promise.all(lookups).then(() => computeAll(needs, compute));
    return flown;
  }

  async function computeAll<Item extends Keyed>(
    needs: readonly Need<Item, Report>[],
    compute: Compute<Item, Report>,
  ): Promise<void> {
    if (needs.length === 0) return;
    const signal = whenAllAbort(needs.map((need) => need.signal));
    try {
      if (signal.aborted) throw failureFromAbort(signal);
      const outcomes = await compute(
        needs.map(({ item }) => item),
        signal,
      );
      for (const [index, { item, resolve, reject }] of needs.entries()) {
        const outcome = outcomes[index] as Outcome<Computed<Report>>;
        if ('error' in outcome) {
          reject(outcome.error);
        } else {
          void store(tiers, item.key, outcome.result.value);
          resolve({ ...outcome.result, from: 'computed' });
        }
      }
    } catch (error) {
      for (const { reject } of needs) reject(error);
    }
  }

  return {
    get: (key) => lookUp(tiers, { key }),

    async getAll(items) {
      const found = await Promise.all(items.map((item) => lookUp(tiers, item)));
      return found.every((entry) => entry !== undefined) ? found : undefined;
    },

    async getOrCompute(items, signal, compute) {
      const near = await Promise.all(items.map((item) => lookUp(nearTiers, item)));
      const missing = items.filter((_, index) => near[index] === undefined);
      const landed = await Promise.allSettled(fly(missing, signal, compute));
      return near.map((found) => {
        if (found !== undefined) return { result: found };
        const flight = landed.shift() as (typeof landed)[number];
        return flight.status === 'rejected' ? { error: flight.reason } : { result: foundBy(flight.value) };
      });
    },

    set: (key, value, ttlMs) => store(tiers, key, value, ttlMs),

    async close() {
      await Promise.all(tiers.map((tier) => attempt(tier, () => tier.close())));
    },
  };
}

/** The result of a flight. */
type Landed<Report> =
  | { readonly value: Uint8Array; readonly from: TierName }
  | (Computed<Report> & { readonly from: 'computed' });

/** A key that is in no tier, and the flight that waits for its value. */
interface Need<Item extends Keyed, Report> {
  readonly item: Item;
  /** Aborts when no caller waits for this key. */
  readonly signal: AbortSignal;
  resolve(value: Landed<Report>): void;
  reject(error: unknown): void;
}

function foundBy<Report>({ value, shared }: { value: Landed<Report>; shared: boolean }) {
  return shared && value.from === 'computed' ? { value: value.value, from: 'shared' as const } : value;
}

/** Aborts when the last of the signals does. */
function whenAllAbort(signals: readonly AbortSignal[]): AbortSignal {
  const all = new AbortController();
  const check = () => {
    if (signals.every(({ aborted }) => aborted)) all.abort(signals.at(-1)?.reason);
  };
  for (const signal of signals) signal.addEventListener('abort', check, { once: true });
  check();
  return all.signal;
}
