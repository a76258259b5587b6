import type { SkewResponse } from '../../../gen/image/v1/processor_pb.ts';
import type { Tolerance } from '../../options/tolerance.ts';

/** How a comparison ended: equal, not equal but within the tolerance, or different. */
export type Verdict = 'equal' | 'within' | 'different';

/** The verdict of a comparison. */
export function verdictOf({ equal, withinTolerance }: SkewResponse): Verdict {
  if (equal) return 'equal';
  return withinTolerance === true ? 'within' : 'different';
}

/** The measures of a tolerance with their values: `largest difference 0.31, allowed 0.01`. */
export function toleranceWords(response: SkewResponse, { max, mean, share }: Tolerance): string {
  const { maxAbs, meanAbs, differingShare, given, expected } = response;
  if (maxAbs === undefined) return 'the tensors differ in size';
  const parts = [
    ['largest difference', maxAbs, max],
    ['mean difference', meanAbs ?? 0, mean],
    ['share of values that differ', differingShare ?? 0, share],
  ] as const;
  const words = parts.flatMap(([name, value, limit]) =>
    limit === undefined ? [] : [`${name} ${figure(value)}, allowed ${limit}`],
  );
  const shapes = [given, expected].map((tensor) => tensor?.shape.join(' × ') ?? '');
  // Values of the same pixel and channel are compared, whatever the order of the axes.
  return shapes[0] === shapes[1]
    ? words.join('; ')
    : `${words.join('; ')}; shape ${shapes[0]}, expected ${shapes[1]}`;
}

/** A number for people: three significant digits. */
export function figure(value: number): string {
  return String(Number(value.toPrecision(3)));
}
