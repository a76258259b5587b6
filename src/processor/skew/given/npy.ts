import type { DatatypeName } from '../../../datatypes.ts';
import { shortened } from '../../../shortened.ts';
import type { GivenTensor } from './given-tensor.ts';
import { checkBytes, type StoredTensor, tensorOf } from './stored-tensor.ts';
import { tensorInvalid } from './tensor-invalid.ts';

/*
 * Files of numpy.save: NEP 1 and numpy/lib/_format_impl.py, versions 1.0 to 3.0. The header is the text of a Python
 * dict; it is matched, never evaluated.
 */

export const npyMagic = '\x93NUMPY';

/** NumPy's own default, `max_header_size` of numpy.load. */
const maxHeaderBytes = 10_000;

/** The datatypes by kind and size of their descr. `V2`: what numpy.save makes of bfloat16 of ml_dtypes. */
const datatypesOfNumpy: Readonly<Record<string, DatatypeName>> = {
  u1: 'UINT8',
  i1: 'INT8',
  i2: 'INT16',
  u2: 'UINT16',
  i4: 'INT32',
  i8: 'INT64',
  f2: 'FP16',
  V2: 'BF16',
  f4: 'FP32',
  f8: 'FP64',
  b1: 'BOOL',
};

interface NpyHeader extends Omit<StoredTensor, 'name'> {
  readonly descr: string;
  readonly isFortran: boolean;
  /** Where the values begin. */
  readonly start: number;
}

/**
 * Reads a file of numpy.save.
 *
 * @param name - of the result
 * @throws TENSOR_INVALID
 */
export function readNpy(content: Uint8Array, name: string): GivenTensor {
  const { descr, datatype, shape, isFortran, start } = readNpyHeader(content);
  if (datatype === undefined) throw unreadable(descr);
  const stored = content.subarray(start);
  checkBytes({ name, datatype, shape }, stored.length);
  const tensor = tensorOf(
    { name, datatype, shape },
    descr.startsWith('>') ? littleEndian(stored, descr) : stored,
  );
  return isFortran ? { ...tensor, values: inOrderOfC(tensor) } : tensor;
}

/**
 * The header of a file of numpy.save.
 *
 * @param content - its beginning, or all of it
 * @throws TENSOR_INVALID
 */
export function readNpyHeader(content: Uint8Array): NpyHeader {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.length);
  if (bytes.toString('latin1', 0, 6) !== npyMagic)
    throw tensorInvalid('The file does not begin as a .npy file.');
  const version = bytes[6] ?? 0;
  if (version < 1 || version > 3) {
    throw tensorInvalid(`The .npy file has version ${version}; versions 1 to 3 are read.`, {
      limit: 3,
      actual: version,
    });
  }
  const lengthBytes = version === 1 ? 2 : 4;
  const headerStart = 8 + lengthBytes;
  if (bytes.length < headerStart) throw cutOff(headerStart, bytes.length);
  const length = bytes.readUIntLE(8, lengthBytes);
  if (length > maxHeaderBytes) {
    throw tensorInvalid(
      `The header of the .npy file has ${length} bytes; at most ${maxHeaderBytes} are read.`,
      {
        limit: maxHeaderBytes,
        actual: length,
      },
    );
  }
  const start = headerStart + length;
  if (bytes.length < start) throw cutOff(start, bytes.length);
  return { ...parseHeader(bytes.toString('latin1', headerStart, start)), start };
}

function parseHeader(text: string): Omit<NpyHeader, 'start'> {
  const shape = /'shape'\s*:\s*\(([^()]*)\)/.exec(text)?.[1];
  const order = /'fortran_order'\s*:\s*(True|False)/.exec(text)?.[1];
  if (shape === undefined || order === undefined) {
    throw tensorInvalid(
      `The header of the .npy file is ${shortened(JSON.stringify(text.trim()))}, which is none.`,
    );
  }
  const descr = /'descr'\s*:\s*'([^']*)'/.exec(text)?.[1];
  if (descr === undefined) {
    throw tensorInvalid('The .npy file has a structured array. Send the array of pixels.');
  }
  return {
    descr,
    datatype: /^[<>|=]/.test(descr) ? datatypesOfNumpy[descr.slice(1)] : undefined,
    shape: lengthsOf(shape),
    isFortran: order === 'True',
  };
}

function lengthsOf(tuple: string): readonly number[] {
  const parts = tuple.split(',').map((text) => text.trim());
  // A tuple may end in a comma, and is empty for a scalar.
  if (parts.at(-1) === '') parts.pop();
  return parts.map((text) => (/^-?\d{1,20}L?$/.test(text) ? Number.parseInt(text, 10) : Number.NaN));
}

function unreadable(descr: string): ReturnType<typeof tensorInvalid> {
  const shown = shortened(descr);
  return tensorInvalid(
    /^[<>|=]?O/.test(descr)
      ? 'The .npy file has pickled Python objects, which are never read. Send an array of numbers.'
      : `The .npy file has values of the type ${shown}; its pixels have to be integers of 8 to 64 bits or floats of 16 to 64 bits.`,
    { allowed: Object.keys(datatypesOfNumpy).join(', '), actual: shown },
  );
}

function cutOff(limit: number, actual: number): ReturnType<typeof tensorInvalid> {
  return tensorInvalid(
    `The .npy file is cut off: its header ends at byte ${limit}; the file has ${actual}.`,
    {
      limit,
      actual,
    },
  );
}

function littleEndian(stored: Uint8Array, descr: string): Uint8Array {
  const bytes = Buffer.from(stored);
  switch (descr.slice(2)) {
    case '2':
      return bytes.swap16();
    case '4':
      return bytes.swap32();
    case '8':
      return bytes.swap64();
    default:
      return bytes;
  }
}

/** The values with the last axis as the fastest one; they have the first one as the fastest. */
function inOrderOfC({ shape, values }: GivenTensor): GivenTensor['values'] {
  const ordered = values.slice();
  const steps = shape.map((_, axis) => shape.slice(0, axis).reduce((product, length) => product * length, 1));
  const position = shape.map(() => 0);
  let from = 0;
  for (let to = 0; to < ordered.length; to++) {
    ordered[to] = values[from] as number;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const at = (position[axis] as number) + 1;
      from += steps[axis] as number;
      position[axis] = at;
      if (at < (shape[axis] as number)) break;
      from -= at * (steps[axis] as number);
      position[axis] = 0;
    }
  }
  return ordered;
}
