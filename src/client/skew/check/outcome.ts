import type { SkewResponse } from '../../../../gen/image/v1/processor_pb.ts';
import { toleranceText } from '../../../options/tolerance.ts';
import { skewJson } from '../../../skew-json.ts';
import type { JobFailure } from '../../job/images.ts';
import { sentenceOf } from '../comparison-words.ts';
import type { Verdict } from '../tolerance.ts';
import type { ListedPair } from './list.ts';

/** How the comparison of a listed pair ended. */
export type Outcome =
  | { readonly pair: ListedPair; readonly verdict: Verdict; readonly response: SkewResponse }
  | { readonly pair: ListedPair; readonly verdict: 'failed'; readonly failure: JobFailure };

/** The result of a check. */
export interface CheckResult {
  /** The path of the list as it was given. */
  readonly list: string;
  /** In the order of the lines. */
  readonly outcomes: readonly Outcome[];
  readonly seconds: number;
}

/** How many pairs have each verdict. */
export function countsOf(outcomes: readonly Outcome[]): Record<Outcome['verdict'], number> {
  const counts = { equal: 0, within: 0, different: 0, failed: 0 };
  for (const { verdict } of outcomes) counts[verdict]++;
  return counts;
}

/** Whether a pair lets the check pass. */
export function passes({ verdict }: Outcome): boolean {
  return verdict === 'equal' || verdict === 'within';
}

/** The problem of a pair in a sentence. */
export function problemOf(outcome: Outcome): string {
  if (outcome.verdict === 'failed') return `${outcome.failure.reason}: ${outcome.failure.message}`;
  return sentenceOf(outcome.response.cause);
}

/** The JSON of a check: `--report` with .json, and `--json`. */
export function checkJson({ list, outcomes, seconds }: CheckResult) {
  return {
    list,
    passed: outcomes.every(passes),
    total: outcomes.length,
    ...countsOf(outcomes),
    seconds: Math.round(seconds * 1000) / 1000,
    pairs: outcomes.map((outcome) => {
      const { line, name, image, tensor, preset, tolerance } = outcome.pair;
      return {
        line,
        name,
        image,
        tensor,
        preset: preset || null,
        tolerance: tolerance === undefined ? null : toleranceText(tolerance),
        verdict: outcome.verdict,
        ...(outcome.verdict === 'failed'
          ? { problem: problemJson(outcome.failure) }
          : skewJson(outcome.response)),
      };
    }),
  };
}

function problemJson({ reason, message, retryable, metadata }: JobFailure) {
  return { reason, message, retryable, metadata };
}
