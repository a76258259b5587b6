import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { SkewResponseSchema } from '../gen/image/v1/processor_pb.ts';
import { Failure } from '../src/failures.ts';
import { skewJson } from '../src/skew-json.ts';
import { overallJson, type PairOutcome } from '../src/skew-overall.ts';

type Step = readonly [name: string, yours: string, also?: readonly string[]];

function report(init: MessageInitShape<typeof SkewResponseSchema>): PairOutcome {
  return { report: skewJson(create(SkewResponseSchema, init)) };
}

/** A pair that differs, of 100 values unless a shape is given. */
function differing(
  steps: readonly Step[],
  { exact = true, share = 0.5, mean = 1, max = 2, shape = [10n, 10n] } = {},
): PairOutcome {
  return report({
    differingShare: share,
    meanAbs: mean,
    maxAbs: max,
    expected: { name: 'image', datatype: 'FP32', shape },
    cause: {
      exact,
      sentence: 'of one pair',
      steps: steps.map(([name, yours, also = []]) => ({ name, yours, expected: 'right', also: [...also] })),
    },
  });
}

const equal = report({
  equal: true,
  differingShare: 0,
  meanAbs: 0,
  maxAbs: 0,
  expected: { name: 'image', datatype: 'FP32', shape: [10n, 10n] },
});
const failed: PairOutcome = { failure: new Failure('TENSOR_NOT_FINITE', 'NaN') };

describe(overallJson, () => {
  it('is equal if every pair is, and not if one failed', () => {
    expect(overallJson([equal, equal])).toEqual({
      equal: true,
      pairs: 2,
      failed: 0,
      differing_share: 0,
      mean_abs: 0,
      max_abs: 0,
    });
    expect(overallJson([equal, failed])).toMatchObject({ equal: false, pairs: 2, failed: 1 });
  });

  it('weighs each pair by its values', () => {
    const large = differing([], { share: 1, mean: 4, max: 9, shape: [30n, 10n] });
    expect(overallJson([large, equal])).toMatchObject({ differing_share: 0.75, mean_abs: 3, max_abs: 9 });
  });

  it('says nothing about differences where no two tensors have the same size', () => {
    expect(overallJson([report({}), failed])).toEqual({ equal: false, pairs: 2, failed: 1 });
  });

  it('names the cause that all pairs have', () => {
    const pair = differing([['channel_order', 'BGR']]);
    expect(overallJson([pair, pair, equal]).cause).toEqual({
      exact: true,
      sentence: 'All 2 pairs that differ have the same cause: channel order BGR instead of right.',
      steps: [{ name: 'channel_order', yours: 'BGR', expected: 'right' }],
      pairs: 2,
      exact_pairs: 2,
    });
  });

  it('names the cause of most pairs, and counts those that it explains exactly', () => {
    const bgr = differing([['channel_order', 'BGR']]);
    const nearly = differing([['channel_order', 'BGR']], { exact: false });
    const cause = overallJson([bgr, nearly, differing([['filter', 'nearest']])]).cause;
    expect(cause).toMatchObject({ exact: false, pairs: 2, exact_pairs: 1 });
    expect(cause?.sentence).toMatch(/^2 of 3 pairs that differ have the same cause/);
  });

  it('names none if half of the pairs have another one', () => {
    const [one, other] = [differing([['channel_order', 'BGR']]), differing([['filter', 'nearest']])];
    expect(overallJson([one, other])).not.toHaveProperty('cause');
  });

  it('takes a step that may be the same, and the same rule for sources of two sizes', () => {
    const one = differing([
      ['size', 'shorter side 256: 341 × 256'],
      ['filter', 'bilinear', ['box']],
    ]);
    const other = differing([
      ['size', 'shorter side 256: 256 × 384'],
      ['filter', 'box'],
    ]);
    expect(overallJson([other, one]).cause).toMatchObject({
      pairs: 2,
      steps: [{ yours: 'shorter side 256: 256 × 384' }, { yours: 'box' }],
    });
  });

  it('does not take fewer steps for the same cause', () => {
    const one = differing([['filter', 'box']]);
    const both = differing([
      ['filter', 'box'],
      ['channel_order', 'BGR'],
    ]);
    expect(overallJson([one, both])).not.toHaveProperty('cause');
  });
});
