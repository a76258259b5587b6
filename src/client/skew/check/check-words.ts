import { durationWords } from '../../job/progress.ts';
import { stepTable } from '../comparison-words.ts';
import { figure, toleranceWords } from '../tolerance.ts';
import { type CheckResult, countsOf, type Outcome, passes, problemOf } from './outcome.ts';

/** Pairs that are listed for one problem. */
const mostListed = 20;

/** The text of a check that fails: each problem once, with its steps and its pairs. */
export function problemWords(outcomes: readonly Outcome[]): string {
  const groups = Map.groupBy(
    outcomes.filter((outcome) => !passes(outcome)),
    problemKey,
  );
  return [...groups.values()]
    .toSorted((a, b) => b.length - a.length)
    .map(groupWords)
    .join('\n\n');
}

/** The same for pairs with the same problem: sizes that a source's own size gives do not count. */
function problemKey(outcome: Outcome): string {
  if (outcome.verdict === 'failed') return problemOf(outcome);
  const { steps = [] } = outcome.response.cause ?? {};
  return JSON.stringify(steps.map(({ name, yours }) => [name, yours.replace(/: \d+ × \d+$/, '')]));
}

function groupWords(outcomes: readonly Outcome[]): string {
  const [first] = outcomes;
  if (first === undefined) return '';
  const steps = 'response' in first ? (first.response.cause?.steps ?? []) : [];
  const listed = outcomes.slice(0, mostListed);
  const others = outcomes.length - listed.length;
  return [
    problemOf(first),
    ...(steps.length === 0 ? [] : [stepTable(steps)]),
    ...listed.map(pairWords),
    ...(others === 0 ? [] : [`  … and ${others} more`]),
  ].join('\n');
}

function pairWords(outcome: Outcome): string {
  const { tolerance } = outcome.pair;
  const title = titleOf(outcome);
  if (outcome.verdict === 'failed') return `- ${title}`;
  const { response } = outcome;
  const words =
    tolerance !== undefined
      ? toleranceWords(response, tolerance)
      : response.maxAbs === undefined
        ? 'the tensors differ in size'
        : `largest difference ${figure(response.maxAbs)}, and no tolerance`;
  return `- ${title}: ${words}`;
}

function titleOf({ pair: { line, name } }: Outcome): string {
  return name === `line ${line}` ? name : `line ${line}: ${name}`;
}

/** The line of a pair under `--verbose`. */
export function outcomeWords(outcome: Outcome): string {
  const words = {
    equal: 'equal',
    within: 'within the tolerance',
    different: 'different',
    failed: 'failed',
  }[outcome.verdict];
  return `${titleOf(outcome)}: ${words}${passes(outcome) ? '' : `: ${problemOf(outcome)}`}`;
}

/** The last line of a check. */
export function summaryWords({ outcomes, seconds }: CheckResult): string {
  const { equal, within, different, failed } = countsOf(outcomes);
  const parts = [
    `${equal} equal`,
    ...(within > 0 ? [`${within} within the tolerance`] : []),
    `${different} different`,
    ...(failed > 0 ? [`${failed} not compared`] : []),
  ];
  const pairs = outcomes.length === 1 ? '1 pair' : `${outcomes.length} pairs`;
  return `${pairs}: ${parts.join(', ')}, in ${durationWords(Math.round(seconds))}`;
}
