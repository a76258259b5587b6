import { type GivenTensor, type SkewRequest, TensorContainer } from '../../../gen/image/v1/processor_pb.ts';
import { type DatatypeName, datatypes } from '../../datatypes.ts';
import { Failure } from '../../failures.ts';
import { invalidOption } from '../../options/invalid-option.ts';
import type { GivenContainer, GivenFile } from '../skew/given/given-file.ts';
import { containerNames } from './enum-names.ts';

/** A tensor's file, or an encoded picture whose header is not read yet. */
export type CheckedGiven =
  | Extract<GivenFile, { kind: 'tensor' }>
  | { readonly kind: 'picture'; readonly content: Uint8Array };

/** The containers that are read, with their names in a job. */
const containers: Readonly<Partial<Record<TensorContainer, GivenContainer>>> = {
  [TensorContainer.RAW]: 'raw',
  [TensorContainer.NPY]: 'npy',
  [TensorContainer.NPZ]: 'npz',
  [TensorContainer.SAFETENSORS]: 'safetensors',
};

const names: Readonly<Record<number, string>> = containerNames;

const rawDatatypes = (Object.keys(datatypes) as DatatypeName[]).filter((name) => name !== 'BOOL');

/**
 * Checks what a request says about the other program's file. It does not read the file.
 *
 * @param maxBytes - of the file
 * @throws TENSOR_INVALID if there is none or it has no bytes; SOURCE_BYTES_OVER_LIMIT, OPTION_INVALID
 */
export function checkGiven({ given }: SkewRequest, maxBytes: number): CheckedGiven {
  if (given.case === undefined) {
    throw new Failure('TENSOR_INVALID', 'The request has nothing to compare. Set tensor or picture.', {
      allowed: 'tensor, picture',
    });
  }
  const content = given.case === 'tensor' ? given.value.content : given.value;
  if (content.length === 0) {
    throw new Failure('TENSOR_INVALID', `The ${given.case} has 0 bytes; is the file empty?`, { actual: 0 });
  }
  if (content.length > maxBytes) {
    throw new Failure(
      'SOURCE_BYTES_OVER_LIMIT',
      `The ${given.case} has ${content.length} bytes; at most ${maxBytes} are taken.`,
      { limit: maxBytes, actual: content.length },
    );
  }
  return given.case === 'tensor' ? tensorFile(given.value) : { kind: 'picture', content };
}

function tensorFile({ content, container, shape, datatype, name }: GivenTensor): CheckedGiven {
  const known = containers[container];
  const detects = container === TensorContainer.UNSPECIFIED || container === TensorContainer.AUTO;
  if (known === undefined && !detects) {
    throw invalidOption('container', names[container] ?? container, 'raw, npy, npz, safetensors or auto');
  }
  checkRaw(known ?? 'auto', shape, datatype);
  return { kind: 'tensor', content, container: known, shape: shape.map(Number), datatype, name };
}

/** Raw values need both a shape and a datatype, and a file has its own ones. */
function checkRaw(container: GivenContainer | 'auto', shape: readonly bigint[], datatype: string): void {
  const [isRaw, isFile] = [container === 'raw', container !== 'raw' && container !== 'auto'];
  const text = shape.join(',');
  if (shape.length > 0 && isFile) throw invalidOption('shape', text, `unset for a file of ${container}`);
  if (shape.length === 0 && (isRaw || datatype !== '')) {
    throw invalidOption(
      'shape',
      'unset',
      'the length of each axis',
      'Raw values need a shape and a datatype; shape is unset.',
    );
  }
  if (shape.length === 0) return;
  if (shape.some((length) => length < 1n)) throw invalidOption('shape', text, 'lengths of at least 1');
  const allowed = rawDatatypes.join(', ');
  if (datatype === '') {
    throw invalidOption(
      'datatype',
      'unset',
      allowed,
      `Raw values need a shape and a datatype; datatype is unset. It is one of ${allowed}.`,
    );
  }
  if (!rawDatatypes.some((name) => name === datatype)) throw invalidOption('datatype', datatype, allowed);
}
