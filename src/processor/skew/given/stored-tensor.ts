import { type DatatypeName, datatypes } from '../../../datatypes.ts';
import type { TensorDescription } from '../../image/tensor-container.ts';
import { readingsOf } from '../axes.ts';
import { type GivenTensor, valuesOf } from './given-tensor.ts';
import { tensorInvalid } from './tensor-invalid.ts';

/** As many axes as a tensor of images may have. */
const maxAxes = 8;

/**
 * A tensor of bytes in C order, little-endian.
 *
 * @throws TENSOR_INVALID if the shape is none, or has another number of values
 */
export function tensorOf(description: TensorDescription, bytes: Uint8Array): GivenTensor {
  const { name, datatype, shape } = description;
  checkBytes(description, bytes.length);
  return { name, datatype, shape, values: valuesOf(datatype, bytes) };
}

/**
 * Checks a shape, and that it has as many bytes as there are.
 *
 * @throws TENSOR_INVALID
 */
export function checkBytes({ datatype, shape }: TensorDescription, actual: number): void {
  checkShape(shape);
  if (datatype === 'BOOL') {
    throw tensorInvalid('The tensor has booleans, which are no pixels. Send the tensor of pixels.', {
      actual: datatype,
    });
  }
  const limit = shape.reduce((product, length) => product * length, datatypes[datatype].bytes);
  if (limit === actual) return;
  throw tensorInvalid(
    `A tensor of ${datatype} with the shape ${shape.join(' × ')} has ${limit} bytes; the file has ${actual}, ${
      actual < limit
        ? 'so it is cut off or has another shape or datatype'
        : 'so others follow the tensor, or it has another shape or datatype'
    }.`,
    { limit, actual },
  );
}

function checkShape(shape: readonly number[]): void {
  if (shape.length > maxAxes) {
    throw tensorInvalid(`The tensor has ${shape.length} axes; at most ${maxAxes} are read.`, {
      limit: maxAxes,
      actual: shape.length,
    });
  }
  for (const [axis, length] of shape.entries()) {
    if (Number.isSafeInteger(length) && length >= 1) continue;
    throw tensorInvalid(`Axis ${axis} of the tensor has the length ${length}; it has to be at least 1.`, {
      limit: 1,
      actual: length,
    });
  }
}

/** A tensor of a file, whose bytes are not read yet. */
export interface StoredTensor {
  readonly name: string;
  /** Unset: one that contains no pixels. */
  readonly datatype: DatatypeName | undefined;
  readonly shape: readonly number[];
}

/**
 * The tensor of a file that is compared: the one of the caller's name; else of the expected tensor's name; else the only
 * one that can contain pixels, or has the expected shape.
 *
 * @param name - empty: unset
 * @throws TENSOR_INVALID with the names of the tensors
 */
export function choose<T extends StoredTensor>(
  tensors: readonly T[],
  name: string,
  expected: TensorDescription,
): T {
  const named = tensors.find((tensor) => tensor.name === (name === '' ? expected.name : name));
  if (named !== undefined) return named;
  const names = namesOf(tensors);
  if (tensors.length === 0) throw tensorInvalid('The file has no tensor.');
  if (name !== '') {
    throw tensorInvalid(`The file has no tensor of the name that the request has; it has ${names}.`, {
      allowed: names,
    });
  }
  const possible = tensors.length === 1 ? tensors : tensors.filter(canContainPixels);
  const [only, ...others] = possible;
  if (only !== undefined && others.length === 0) return only;
  const [same, ...more] = possible.filter(({ shape }) => shape.join() === expected.shape.join());
  if (same !== undefined && more.length === 0) return same;
  throw tensorInvalid(
    only === undefined
      ? `None of the file's tensors can contain pixels; it has ${names}.`
      : `Several of the file's tensors can contain pixels. Set name to one of ${names}.`,
    { allowed: names },
  );
}

function canContainPixels({ datatype, shape }: StoredTensor): boolean {
  return datatype !== undefined && datatype !== 'BOOL' && readingsOf({ shape }).length > 0;
}

/** The first tensors' names, short enough for a failure. */
function namesOf(tensors: readonly StoredTensor[]): string {
  const shown = tensors.slice(0, 8).map(({ name }) => (name.length <= 40 ? name : `${name.slice(0, 40)}…`));
  return [...shown, ...(tensors.length > shown.length ? [`${tensors.length - shown.length} more`] : [])].join(
    ', ',
  );
}
