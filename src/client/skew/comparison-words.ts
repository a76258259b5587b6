import type { SkewCause, SkewResponse, SkewStep, Tensor } from '../../../gen/image/v1/processor_pb.ts';
import type { Tolerance } from '../../options/tolerance.ts';
import { figure, toleranceWords, verdictOf } from './tolerance.ts';

/** The settings of a comparison's text. */
interface WordsOptions {
  /** The name of the other program's file. */
  readonly tensor: string;
  readonly tolerance: Tolerance | undefined;
  /** Whether what would have been right follows. */
  readonly python: boolean;
}

/** A comparison for people: the sentence, the steps, the figures. */
export function comparisonWords(response: SkewResponse, { tensor, tolerance, python }: WordsOptions): string {
  const { equal, cause } = response;
  const verdict = verdictOf(response);
  const allowed = tolerance === undefined ? '' : toleranceWords(response, tolerance);
  const first = {
    equal: `Equal: ${tensor} has ${valuesIn(response.expected)} values, and all are right.`,
    within: `Within the tolerance: ${allowed}.`,
    different: sentenceOf(cause),
  }[verdict];
  return [
    first,
    ...(cause === undefined || cause.steps.length === 0 ? [] : ['', stepTable(cause.steps)]),
    ...(equal ? [] : ['', figures(response)]),
    ...(verdict === 'different' && allowed !== '' ? [`Beyond the tolerance: ${allowed}.`] : []),
    ...(python ? ['', rightWords(response)] : []),
  ].join('\n');
}

/** The cause in one sentence. */
export function sentenceOf(cause: SkewCause | undefined): string {
  return cause?.sentence || 'The tensors differ.';
}

/** The steps of a cause as a table. Other words that give the same values have lines of their own. */
export function stepTable(steps: readonly SkewStep[]): string {
  const rows = [
    ['step', 'yours', 'expected'],
    ...steps.flatMap(({ name, yours, expected, also }) => [
      [name, yours, expected],
      ...also.map((other) => ['', `or ${other}`, '']),
    ]),
  ];
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd())
    .join('\n');
}

/** How two tensors differ, in figures. */
export function figures(response: SkewResponse): string {
  const { differingShare, meanAbs = 0, maxAbs = 0, percentiles, given, expected } = response;
  if (differingShare === undefined) {
    return `The tensors differ in size: yours is ${formOf(given)}, expected is ${formOf(expected)}.`;
  }
  const ranks = percentiles.map(({ percent, value }) => `${percent} % ≤ ${figure(value)}`).join(', ');
  return [
    `${percentOf(differingShare)} of the ${valuesIn(expected)} values differ: mean ${figure(meanAbs)}, largest ${figure(maxAbs)}`,
    ...(ranks === '' ? [] : [`absolute differences: ${ranks}`]),
  ].join('\n');
}

/** A share for people; 0 % and 100 % only if none or all differ. */
function percentOf(share: number): string {
  if (share > 0 && share < 0.0001) return 'less than 0.01 %';
  const percent = 100 * share;
  return `${share < 1 ? Math.min(99.99, Number(percent.toPrecision(3))) : 100} %`;
}

function valuesIn(tensor: Tensor | undefined): number {
  return Number((tensor?.shape ?? []).reduce((product, length) => product * length, 1n));
}

function formOf(tensor: Tensor | undefined): string {
  return tensor === undefined ? 'unknown' : `${tensor.datatype} ${tensor.shape.join(' × ')}`;
}

function rightWords({ python, plan }: SkewResponse): string {
  if (python !== '') return `The right preprocessing:\n\n${python.trimEnd()}`;
  return ['The right preprocessing:', ...plan.map((step, index) => `${index + 1}. ${step}`)].join('\n');
}
