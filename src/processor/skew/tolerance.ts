import type { Tolerance } from '../../options/tolerance.ts';
import type { TensorDescription } from '../image/tensor-container.ts';
import type { Difference } from './difference.ts';

/**
 * Whether a difference passes. Only values count: the datatypes may differ, and the shapes in axes of length 1.
 *
 * @param difference - undefined if the tensors differ in size
 */
export function isWithin(
  difference: Difference | undefined,
  given: Pick<TensorDescription, 'shape'>,
  expected: Pick<TensorDescription, 'shape'>,
  { max, mean, share }: Tolerance,
): boolean {
  if (difference === undefined || lengthsOf(given) !== lengthsOf(expected)) return false;
  const { maxAbs, meanAbs, differingShare } = difference;
  return [
    [maxAbs, max],
    [meanAbs, mean],
    [differingShare, share],
  ].every(([value = Number.NaN, limit]) => limit === undefined || value <= limit);
}

function lengthsOf({ shape }: Pick<TensorDescription, 'shape'>): string {
  return shape.filter((length) => length !== 1).join(',');
}
