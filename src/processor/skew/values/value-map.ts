import type { TensorPlan } from '../../image/plan.ts';
import type { Rounding } from '../../image/value-table.ts';
import type { Words } from '../lattice/hypothesis.ts';
import { type Arithmetic, arithmetics } from './arithmetics.ts';
import { ruleInWords, ruleOf, type ValueRule } from './value-rules.ts';

/** A scale, a mean and a std, with their rounding. */
export interface ValueMap {
  readonly words: Words;
  readonly rule: ValueRule;
  readonly arithmetic: Arithmetic;
}

/** The arithmetics of plans. */
const roundings: Readonly<Record<Rounding, string>> = {
  stepwise: 'each operation in FP32',
  fused: 'rescaling and normalization fused, in FP32',
  affine: 'one product and one sum, in FP32',
  bfloat16: 'each operation in BF16',
  resized: 'each operation in FP32',
  resizedStepwise: 'each operation in FP32',
  resizedFused: 'rescaling and normalization fused, in FP32',
};

/** The value map of a plan. */
export function valueMapOf(plan: TensorPlan): ValueMap {
  const rounding = roundings[plan.rounding ?? 'stepwise'];
  const arithmetic = arithmetics.find(({ words }) => words === rounding);
  if (arithmetic === undefined) throw new Error(`no arithmetic is called ${rounding}`);
  return valueMap(ruleOf(plan), arithmetic, rounding);
}

/** @param rounding - of the arithmetic, in words */
export function valueMap(rule: ValueRule, arithmetic: Arithmetic, rounding: string): ValueMap {
  return { rule, arithmetic, words: { ...ruleInWords(rule), rounding } };
}
