import { type DatatypeName, datatypes } from '../../../datatypes.ts';
import { shortened } from '../../../shortened.ts';
import type { GivenTensor } from './given-tensor.ts';
import { tensorOf } from './stored-tensor.ts';
import { tensorInvalid } from './tensor-invalid.ts';

/**
 * Reads values without a header, in C order, little-endian.
 *
 * @param name - of the result
 * @throws TENSOR_INVALID
 */
export function readRaw(
  content: Uint8Array,
  shape: readonly number[],
  datatype: string,
  name: string,
): GivenTensor {
  if (!isDatatype(datatype)) {
    throw tensorInvalid(
      datatype === ''
        ? `Values without a header need a datatype: ${allowed}.`
        : `datatype is ${shortened(datatype)}; allowed: ${allowed}.`,
      { allowed, actual: shortened(datatype) },
    );
  }
  if (shape.length === 0) {
    throw tensorInvalid('Values without a header need a shape, the length of each axis.');
  }
  return tensorOf({ name, datatype, shape }, content);
}

const allowed = Object.keys(datatypes)
  .filter((name) => name !== 'BOOL')
  .join(', ');

function isDatatype(text: string): text is DatatypeName {
  return Object.hasOwn(datatypes, text);
}
