import { datatypes } from '../../datatypes.ts';
import type { BatchRule } from './arrangements/arrangement.ts';
import type { TensorDescription } from './tensor-container.ts';

/**
 * The shape of tensors that are joined.
 *
 * @param shapes - of equal rank. By the rules to concatenate, all axes but the joined one are equal
 */
export function joinedShape(shapes: readonly (readonly number[])[], rule: BatchRule): readonly number[] {
  const [first = []] = shapes;
  if (rule === 'largest') return first;
  const axis = joinedAxis(first, rule);
  const length = shapes.reduce((sum, shape) => sum + (shape[axis] ?? 1), 0);
  if (rule === 'concatenateLast') return first.with(axis, length);
  const [, ...others] = first;
  if (rule.startsWith('concatenate')) return [length, ...others];
  return [length, ...others.map((_, axis) => Math.max(...shapes.map((shape) => shape[axis + 1] ?? 0)))];
}

/** The axis along which tensors of a shape are joined. */
export function joinedAxis({ length }: readonly number[], rule: BatchRule): number {
  return rule === 'concatenateLast' ? length - 1 : 0;
}

/** Whether tensors of equal rank can be joined. */
export function areJoinable(one: readonly number[], other: readonly number[], rule: BatchRule): boolean {
  const axis = joinedAxis(one, rule);
  return !rule.startsWith('concatenate') || one.every((side, each) => each === axis || side === other[each]);
}

/**
 * Writes a tensor's values to their position in the joined tensor.
 *
 * @param values - in C order, of the shape of `description`
 * @param index - the tensor's position along the joined axis
 * @param joined - the values of the joined tensor, all 0 where no tensor is
 */
export function writeJoined(
  values: Uint8Array,
  { datatype, shape }: TensorDescription,
  index: number,
  joined: Uint8Array,
  whole: readonly number[],
  rule: BatchRule = 'concatenate',
): void {
  const along = joinedAxis(whole, rule);
  const { bytes } = datatypes[datatype];
  // The axes from here on are equal, so their values follow each other in both tensors.
  let axis = shape.length - 1;
  while (axis > 0 && shape[axis] === whole[axis]) axis--;
  const runBytes = productOf(shape.slice(axis)) * bytes;
  if (runBytes === 0) return;
  const outer = shape.slice(0, axis);
  const position = outer.map(() => 0);
  for (let from = 0; from < values.length; from += runBytes) {
    let to = 0;
    for (let each = 0; each < whole.length; each++) {
      const at = (each < axis ? (position[each] as number) : 0) + (each === along ? index : 0);
      to = to * (whole[each] as number) + at;
    }
    joined.set(values.subarray(from, from + runBytes), to * bytes);
    for (let each = axis - 1; each >= 0 && ++(position[each] as number) === outer[each]; each--) {
      position[each] = 0;
    }
  }
}

function productOf(numbers: readonly number[]): number {
  return numbers.reduce((product, each) => product * each, 1);
}

/** Keeps the larger of two numbers of INT64. */
export function keepLargest(value: Uint8Array, largest: Uint8Array): void {
  const numberOf = ({ buffer, byteOffset }: Uint8Array) =>
    new DataView(buffer, byteOffset).getBigInt64(0, true);
  if (numberOf(value) > numberOf(largest)) largest.set(value);
}
