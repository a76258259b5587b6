import type { Logger } from '../../telemetry/telemetry.ts';

const intervalMs = 60_000;

/**
 * Logs failures of the cache's tiers: the first failure of a tier at once, then at most one line per minute with the
 * number of failures since the previous line. An unreachable Redis fails every second, possibly for hours.
 *
 * @param now - in milliseconds
 */
export function createCacheErrorLog(log: Logger, now: () => number = () => performance.now()) {
  const tiers = new Map<string, { loggedAtMs: number; failures: number }>();
  return (tier: string, error: unknown): void => {
    const state = tiers.get(tier) ?? { loggedAtMs: Number.NEGATIVE_INFINITY, failures: 0 };
    tiers.set(tier, state);
    state.failures++;
    if (now() - state.loggedAtMs < intervalMs) return;
    const problem = error instanceof Error ? error.message || error.name : String(error);
    log.warn({ tier, failures: state.failures, problem }, 'the cache fails; requests go on without it');
    Object.assign(state, { loggedAtMs: now(), failures: 0 });
  };
}
