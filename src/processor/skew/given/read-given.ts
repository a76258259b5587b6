import { type DatatypeForms, type DatatypeName, datatypes } from '../../../datatypes.ts';
import { Failure } from '../../../failures.ts';
import { decodeWhole } from '../../codecs/decode.ts';
import type { GivenFile } from '../skew-job.ts';
import { type GivenTensor, valuesOf } from './given-tensor.ts';

/**
 * Reads the tensor that another program made.
 *
 * @param expected - the tensor that it is compared with
 * @throws TENSOR_INVALID if the file is no tensor, is cut off, or has no tensor that can contain pixels;
 *   TENSOR_NOT_FINITE
 */
export async function readGiven(file: GivenFile, expected: GivenTensor): Promise<GivenTensor> {
  const tensor = file.kind === 'picture' ? await readPicture(file) : readTensor(file, expected);
  checkFinite(tensor);
  return tensor;
}

type GivenTensorFile = Extract<GivenFile, { kind: 'tensor' }>;

/** [height, width, channels] uint8 */
async function readPicture({
  content,
  header,
}: Extract<GivenFile, { kind: 'picture' }>): Promise<GivenTensor> {
  const { data, width, height, channels } = await decodeWhole(content, header);
  return {
    name: 'picture',
    datatype: 'UINT8',
    shape: [height, width, channels],
    values: Uint8Array.from(data),
  };
}

function readTensor(file: GivenTensorFile, { name }: GivenTensor): GivenTensor {
  const { content } = file;
  if (file.container === 'raw' || (file.container === undefined && file.shape.length > 0))
    return readRaw(file, name);
  const text = Buffer.from(content.buffer, content.byteOffset, Math.min(content.length, 6)).toString(
    'latin1',
  );
  if (text === '\x93NUMPY') return { name, ...readNpy(content) };
  throw invalid(
    'The tensor is no file of NumPy (.npy, .npz) and no safetensors; for the values alone, set shape and datatype.',
  );
}

function readRaw({ content, shape, datatype }: GivenTensorFile, name: string): GivenTensor {
  if (!(datatype in datatypes)) {
    throw invalid(`datatype is ${datatype.slice(0, 20)}; allowed: ${Object.keys(datatypes).join(', ')}.`);
  }
  return { name, ...tensorOf(datatype as DatatypeName, shape, content) };
}

/** NumPy's NEP 1, versions 1.0 to 3.0, in C order. */
function readNpy(content: Uint8Array): Omit<GivenTensor, 'name'> {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.length);
  const lengthBytes = bytes[6] === 1 ? 2 : 4;
  const start = 8 + lengthBytes;
  const headerLength = lengthBytes === 2 ? bytes.readUInt16LE(8) : bytes.readUInt32LE(8);
  const header = bytes.toString('latin1', start, start + Math.min(headerLength, 10_000));
  const [, descr = ''] = /'descr': '([^']+)'/.exec(header) ?? [];
  const [, dimensions = ''] = /'shape': \(([^)]*)\)/.exec(header) ?? [];
  const datatype = (Object.keys(datatypes) as DatatypeName[]).find((name) => {
    const { npy }: DatatypeForms = datatypes[name];
    return npy === descr;
  });
  if (datatype === undefined || !header.includes("'fortran_order': False")) {
    throw invalid(
      `The tensor's NumPy header is ${header.slice(0, 80).trim()}; it takes little-endian values in C order.`,
    );
  }
  const shape = dimensions
    .split(',')
    .filter((text) => text.trim() !== '')
    .map(Number);
  return tensorOf(datatype, shape, content.subarray(start + headerLength));
}

function tensorOf(
  datatype: DatatypeName,
  shape: readonly number[],
  bytes: Uint8Array,
): Omit<GivenTensor, 'name'> {
  const expected = shape.reduce((product, length) => product * length, datatypes[datatype].bytes);
  if (expected !== bytes.length) {
    throw invalid(
      `A tensor of ${datatype} with the shape ${shape.join(' × ')} has ${expected} bytes; the file has ${bytes.length}.`,
      { limit: expected, actual: bytes.length },
    );
  }
  return { datatype, shape, values: valuesOf(datatype, bytes) };
}

function checkFinite({ values }: GivenTensor): void {
  for (const [index, value] of values.entries()) {
    if (Number.isFinite(value)) continue;
    throw new Failure(
      'TENSOR_NOT_FINITE',
      `The tensor's value ${index} is ${value}; all have to be finite.`,
      {
        actual: String(value),
        index,
      },
    );
  }
}

function invalid(message: string, metadata: Readonly<Record<string, number | string>> = {}): Failure {
  return new Failure('TENSOR_INVALID', message, metadata);
}
