import { finiteNumbers } from './kinds.ts';

/** The texts that `parseShape` reads, in words. */
export const shapeInWords = 'the length of each axis, with commas between them: 1,3,224,224';

/**
 * The shape of a tensor: `1,3,224,224`; also `(1, 3, 224, 224)` and `[1, 3, 224, 224]`, as Python writes it.
 *
 * @returns undefined for other texts
 */
export function parseShape(text: string): readonly number[] | undefined {
  const lengths = finiteNumbers.parse(text) ?? [];
  const isShape = lengths.length > 0 && lengths.every((length) => Number.isSafeInteger(length) && length > 0);
  return isShape ? lengths : undefined;
}
