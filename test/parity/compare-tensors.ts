import { type DatatypeName, datatypes } from '../../src/datatypes.ts';

/** A tensor by its name, as ours and theirs are compared. */
export interface NamedTensor {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  /** In C order, little-endian. */
  readonly values: Uint8Array;
}

/** The result of a comparison. `problem` is the first thing that differs. */
export interface Compared {
  readonly values: number;
  readonly differing: number;
  /** The largest difference of two values. */
  readonly maxDelta: number;
  readonly problem?: string | undefined;
}

/**
 * Compares all tensors by name: names, datatypes, shapes, values.
 *
 * @param tolerance - relative to the largest magnitude of a tensor; 0 for equal values
 */
export function compareTensors(
  ours: readonly NamedTensor[],
  theirs: readonly NamedTensor[],
  tolerance: number,
): Compared {
  const names = (tensors: readonly NamedTensor[]) =>
    tensors
      .map(({ name }) => name)
      .sort()
      .join(', ');
  const parts = theirs.map((tensor) => {
    const own = ours.find(({ name }) => name === tensor.name);
    return own === undefined ? none : compareTensor(own, tensor, tolerance);
  });
  const problem =
    names(ours) === names(theirs)
      ? parts.find((part) => part.problem !== undefined)?.problem
      : `ours are ${names(ours)}; theirs ${names(theirs)}`;
  return {
    values: parts.reduce((sum, part) => sum + part.values, 0),
    differing: parts.reduce((sum, part) => sum + part.differing, 0),
    maxDelta: parts.reduce((most, part) => Math.max(most, part.maxDelta), 0),
    problem,
  };
}

const none: Compared = { values: 0, differing: 0, maxDelta: 0 };

function compareTensor(ours: NamedTensor, theirs: NamedTensor, tolerance: number): Compared {
  const { name, datatype, shape } = theirs;
  if (datatype !== ours.datatype) {
    return { ...none, problem: `${name}: ours is ${ours.datatype}, theirs ${datatype}` };
  }
  if (`${shape}` !== `${ours.shape}`) {
    return { ...none, problem: `${name}: ours is [${ours.shape}], theirs [${shape}]` };
  }
  const { bytes } = datatypes[datatype as DatatypeName];
  const values = theirs.values.length / bytes;
  if (Buffer.compare(ours.values, theirs.values) === 0) return { ...none, values };
  return { values, ...differenceOf(name, numbersOf(ours), numbersOf(theirs), tolerance) };
}

function differenceOf(
  name: string,
  ours: ArrayLike<number | bigint>,
  theirs: ArrayLike<number | bigint>,
  tolerance: number,
) {
  let differing = 0;
  let maxDelta = 0;
  let magnitude = 0;
  let first = -1;
  for (let at = 0; at < theirs.length; at++) {
    const [own, their] = [Number(ours[at]), Number(theirs[at])];
    if (Number.isFinite(their)) magnitude = Math.max(magnitude, Math.abs(their));
    // -0 and 0 are equal, and so are NaN and NaN.
    if (own === their || (Number.isNaN(own) && Number.isNaN(their))) continue;
    differing++;
    const delta = Math.abs(own - their);
    maxDelta = Math.max(maxDelta, Number.isNaN(delta) ? Number.POSITIVE_INFINITY : delta);
    if (first < 0) first = at;
  }
  const isEqual = maxDelta <= tolerance * magnitude;
  const problem = `${name}: ${differing} of ${theirs.length} values differ, by ${maxDelta} at most; the first is [${first}], ours ${ours[first]}, theirs ${theirs[first]}`;
  return { differing: isEqual ? 0 : differing, maxDelta, problem: isEqual ? undefined : problem };
}

function numbersOf({ datatype, values }: NamedTensor): ArrayLike<number | bigint> {
  // A copy: the bytes of a larger buffer may be unaligned.
  const { buffer } = new Uint8Array(values);
  switch (datatype as DatatypeName) {
    case 'FP32':
      return new Float32Array(buffer);
    case 'FP16':
      return new Float16Array(buffer);
    case 'BF16':
      // The upper half of an FP32.
      return new Float32Array(Uint32Array.from(new Uint16Array(buffer), (bits) => bits << 16).buffer);
    case 'INT64':
      return new BigInt64Array(buffer);
    case 'INT32':
      return new Int32Array(buffer);
    default:
      return values;
  }
}
