import type { Failure } from './failures.ts';
import type { StepJson, skewJson } from './skew-json.ts';

type PairJson = ReturnType<typeof skewJson>;

/** How the comparison of one pair ended. */
export type PairOutcome = { readonly report: PairJson } | { readonly failure: Failure };

/** The pair in the list `pairs`. */
export function pairJson(outcome: PairOutcome) {
  if ('report' in outcome) return outcome.report;
  const { reason, message, metadata, isRetryable } = outcome.failure;
  return { problem: { reason, message, retryable: isRetryable, metadata } };
}

/** The summary of all pairs. */
export function overallJson(outcomes: readonly PairOutcome[]) {
  const reports = outcomes.flatMap((outcome) => ('report' in outcome ? [outcome.report] : []));
  return {
    equal: reports.length === outcomes.length && reports.every(({ equal }) => equal),
    pairs: outcomes.length,
    failed: outcomes.length - reports.length,
    ...differenceOf(reports),
    ...causeOf(reports.filter(({ equal }) => !equal)),
  };
}

/** Of all values of all pairs whose tensors have the same size. */
function differenceOf(reports: readonly PairJson[]) {
  let [count, differing, sum, max] = [0, 0, 0, 0];
  for (const { differing_share: share, mean_abs: mean = 0, max_abs: most = 0, expected } of reports) {
    if (share === undefined) continue;
    const values = (expected?.shape ?? []).reduce((product, length) => product * length, 1);
    count += values;
    differing += share * values;
    sum += mean * values;
    max = Math.max(max, most);
  }
  return count === 0 ? {} : { differing_share: differing / count, mean_abs: sum / count, max_abs: max };
}

/** The cause that most of the reports share, of differences. */
function causeOf(reports: readonly PairJson[]) {
  const causes = reports.flatMap(({ cause }) => cause ?? []);
  const [most] = causes
    .map((cause) => ({ cause, same: causes.filter((other) => explains(cause.steps, other.steps)) }))
    .toSorted((one, other) => other.same.length - one.same.length);
  if (most === undefined || most.same.length * 2 <= reports.length) return {};
  const { cause, same } = most;
  const exactPairs = same.filter(({ exact }) => exact).length;
  return {
    cause: {
      exact: exactPairs === reports.length,
      sentence: sentenceOf(cause.steps, same.length, reports.length),
      steps: cause.steps,
      pairs: same.length,
      exact_pairs: exactPairs,
    },
  };
}

/** The shared cause, without the figures of a single pair. */
function sentenceOf(steps: readonly StepJson[], pairs: number, differing: number): string {
  const all = differing === 1 ? 'The pair that differs has' : `All ${differing} pairs that differ have`;
  const which = pairs < differing ? `${pairs} of ${differing} pairs that differ have` : all;
  const changes = steps.map(
    ({ name, yours, expected }) =>
      `${name.replaceAll('_', ' ')} ${ruleOf(yours)} instead of ${ruleOf(expected)}`,
  );
  if (steps.length === 0) return `${which} the expected steps, and no step that is known explains them.`;
  return `${which} the same cause: ${changes.join('; ')}.`;
}

/** Whether the steps of one pair may be those of another one. */
function explains(steps: readonly StepJson[], others: readonly StepJson[]): boolean {
  return (
    steps.length === others.length &&
    steps.every(({ name, yours }, index) => {
      const other = others[index];
      const words = other === undefined ? [] : [other.yours, ...(other.also ?? [])];
      return other?.name === name && words.some((word) => ruleOf(word) === ruleOf(yours));
    })
  );
}

/** The words of a step without the size that they give for one source: `shorter side 256: 341 × 256`. */
function ruleOf(words: string): string {
  return words.replace(/: \d+ × \d+$/, '');
}
