import { Failure } from '../../../failures.ts';
import type { Plan } from '../../image/plan.ts';
import type { GivenFile } from './given-file.ts';
import type { GivenTensor } from './given-tensor.ts';
import { npyMagic, readNpy } from './npy.ts';
import { readNpz, zipMagic } from './npz.ts';
import { readPicture } from './picture.ts';
import { readRaw } from './raw.ts';
import { isSafetensors, readSafetensors } from './safetensors.ts';
import { tensorInvalid } from './tensor-invalid.ts';

/**
 * Reads the tensor that another program made.
 *
 * @param expected - the tensor that it is compared with
 * @param plan - of that tensor
 * @throws TENSOR_INVALID if the file is no tensor, is cut off, or has no tensor that can contain pixels;
 *   TENSOR_NOT_FINITE
 */
export async function readGiven(file: GivenFile, expected: GivenTensor, plan: Plan): Promise<GivenTensor> {
  const tensor = file.kind === 'picture' ? await readPicture(file, plan) : readTensor(file, expected);
  checkFinite(tensor);
  return tensor;
}

type GivenTensorFile = Extract<GivenFile, { kind: 'tensor' }>;

function readTensor(file: GivenTensorFile, expected: GivenTensor): GivenTensor {
  const { content, shape, datatype, name } = file;
  switch (file.container ?? containerOf(file)) {
    case 'raw':
      return readRaw(content, shape, datatype, name || expected.name);
    case 'npy':
      return readNpy(content, name || expected.name);
    case 'npz':
      return readNpz(content, name, expected);
    case 'safetensors':
      return readSafetensors(content, name, expected);
  }
}

function containerOf({
  content,
  shape,
  datatype,
}: GivenTensorFile): NonNullable<GivenTensorFile['container']> {
  if (shape.length > 0 || datatype !== '') return 'raw';
  if (content.length === 0) throw tensorInvalid('The tensor has no bytes.', { actual: 0 });
  const text = Buffer.from(content.buffer, content.byteOffset, content.length).toString(
    'latin1',
    0,
    npyMagic.length,
  );
  if (text === npyMagic) return 'npy';
  if (text.startsWith(zipMagic)) return 'npz';
  if (isSafetensors(content)) return 'safetensors';
  throw tensorInvalid(
    'The tensor is no .npy, no .npz and no safetensors file. For values without a header, set shape and datatype.',
  );
}

/** The largest number of FP32. */
const largest = (2 - 2 ** -23) * 2 ** 127;

function checkFinite({ values, shape }: GivenTensor): void {
  let first = -1;
  let count = 0;
  for (let index = 0; index < values.length; index++) {
    const value = values[index] as number;
    if (value >= -largest && value <= largest) continue;
    if (count === 0) first = index;
    count += 1;
  }
  if (count === 0) return;
  const position = positionOf(first, shape);
  throw new Failure(
    'TENSOR_NOT_FINITE',
    `${count} of the tensor's ${values.length} values ${count === 1 ? 'is' : 'are'} not finite in FP32; the first is ${values[first]}, at [${position.join(', ')}].`,
    { actual: String(values[first]), index: first, position: position.join(','), count },
  );
}

/** The index along each axis. */
function positionOf(index: number, shape: readonly number[]): readonly number[] {
  const position: number[] = [];
  let rest = index;
  for (const length of shape.toReversed()) {
    position.unshift(rest % length);
    rest = Math.floor(rest / length);
  }
  return position;
}
