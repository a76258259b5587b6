import type { SkewRequest } from '../../../gen/image/v1/processor_pb.ts';
import { invalidOption } from '../../options/invalid-option.ts';
import type { Tolerance } from '../../options/tolerance.ts';

/**
 * The tolerance of a comparison.
 *
 * @returns undefined if the request has none
 * @throws Failure OPTION_INVALID
 */
export function checkTolerance({ tolerance }: SkewRequest): Tolerance | undefined {
  if (tolerance === undefined) return undefined;
  const { maxAbs, meanAbs, differingShare } = tolerance;
  const limits = [
    ['max', maxAbs, Number.MAX_VALUE],
    ['mean', meanAbs, Number.MAX_VALUE],
    ['share', differingShare, 1],
  ] as const;
  const set = limits.filter(([, limit]) => limit !== undefined);
  if (set.length === 0) {
    throw invalidOption('tolerance', 'empty', 'at least one of max_abs, mean_abs and differing_share');
  }
  for (const [measure, limit = 0, most] of set) {
    if (limit >= 0 && limit <= most) continue;
    throw invalidOption('tolerance', `${measure}:${limit}`, 'finite numbers from 0 on, and a share up to 1');
  }
  return Object.fromEntries(set);
}
