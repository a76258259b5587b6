import { type DatatypeName, datatypes } from '../../datatypes.ts';
import { npyHeader, safetensorsHeader, widestFirst } from '../../tensor-headers.ts';
import type { Encoded } from '../codecs/encode.ts';
import type { TensorPlan } from './plan.ts';
import { openZip } from './stored-zip.ts';

/** A tensor's name, type and shape, by the names of the Open Inference Protocol. */
export interface TensorDescription {
  readonly name: string;
  readonly datatype: DatatypeName;
  readonly shape: readonly number[];
}

/** A tensor with its values in C order, little-endian. */
export interface Tensor extends TensorDescription {
  readonly values: Uint8Array;
}

/** A container whose values are not written yet. */
export interface OpenContainer extends Encoded {
  /** The part of the content for each tensor's values. */
  readonly values: readonly Uint8Array[];
  /** Completes the content once all values are written. */
  close(): void;
}

/** The containers in which the values of a tensor follow each other; the one of vLLM is in vllm-item.ts. */
export type ArrayContainer = Exclude<TensorPlan['container'], 'vllm'>;

/** The container of tensors whose values are written later, and are 0 until then. `raw` and `npy` take one. */
export function openContainer(
  tensors: readonly TensorDescription[],
  container: ArrayContainer,
): OpenContainer {
  const contentType = contentTypes[container];
  switch (container) {
    case 'raw':
      return { ...openFile(Buffer.of(), [only(tensors)]), contentType };
    case 'npy':
      return { ...openNpy(only(tensors)), contentType };
    case 'safetensors':
      return { ...openSafetensors(tensors), contentType };
    case 'npz':
      return { ...openNpz(tensors), contentType };
    case 'open_inference':
      return { ...openFile(inferenceHeader(tensors), tensors), contentType };
  }
}

/**
 * The values of tensors in a `safetensors` content of this service, or of one tensor in a `raw` one.
 *
 * @param tensors - all of the content, in the order in which they were written
 */
export function valuesIn(content: Uint8Array, tensors: readonly TensorDescription[]): readonly Uint8Array[] {
  const bytes = tensors.reduce((sum, tensor) => sum + bytesOfTensor(tensor), 0);
  return valuesAfter(content, content.length - bytes, widestFirst(tensors), tensors);
}

/** The media type of each container. */
export const contentTypes = {
  raw: 'application/octet-stream',
  npy: 'application/x-npy',
  safetensors: 'application/vnd.safetensors',
  npz: 'application/x-npz',
  open_inference: 'application/octet-stream',
} as const satisfies Record<ArrayContainer, string>;

function only(tensors: readonly TensorDescription[]): TensorDescription {
  const [tensor, ...others] = tensors;
  if (tensor === undefined || others.length > 0)
    throw new RangeError(`${tensors.length} tensors in a file of one`);
  return tensor;
}

type OpenFile = Omit<OpenContainer, 'contentType'>;

/** A file that consists of a header and the tensors' values, one after another. */
function openFile(header: Uint8Array, tensors: readonly TensorDescription[]): OpenFile {
  const content = new Uint8Array(
    header.length + tensors.reduce((sum, tensor) => sum + bytesOfTensor(tensor), 0),
  );
  content.set(header);
  return { content, values: valuesAfter(content, header.length, tensors, tensors), close() {} };
}

/**
 * The parts of a content for the tensors' values.
 *
 * @param start - where the values begin
 * @param stored - the tensors in the order of their values
 */
function valuesAfter(
  content: Uint8Array,
  start: number,
  stored: readonly TensorDescription[],
  tensors: readonly TensorDescription[],
): readonly Uint8Array[] {
  const parts = new Map<TensorDescription, Uint8Array>();
  let at = start;
  for (const tensor of stored) {
    parts.set(tensor, content.subarray(at, at + bytesOfTensor(tensor)));
    at += bytesOfTensor(tensor);
  }
  return tensors.map((tensor) => parts.get(tensor) as Uint8Array);
}

/** Bytes of a tensor's values. */
export function bytesOfTensor({ datatype, shape }: TensorDescription): number {
  return shape.reduce((product, length) => product * length, datatypes[datatype].bytes);
}

/**
 * The JSON of an inference request with the binary tensor data extension of the Open Inference Protocol (KServe, Triton).
 * The values follow it in the order of the inputs.
 */
function inferenceHeader(tensors: readonly TensorDescription[]): Uint8Array {
  const inputs = tensors.map((tensor) => ({
    name: tensor.name,
    shape: tensor.shape,
    datatype: tensor.datatype,
    parameters: { binary_data_size: bytesOfTensor(tensor) },
  }));
  return Buffer.from(JSON.stringify({ inputs }));
}

function openNpy(tensor: TensorDescription): OpenFile {
  return openFile(npyHeader(tensor.datatype, tensor.shape), [tensor]);
}

/** numpy.savez: a ZIP file with an .npy file for each tensor, stored without compression. */
function openNpz(tensors: readonly TensorDescription[]): OpenFile {
  const headers = tensors.map(({ datatype, shape }) => npyHeader(datatype, shape));
  const entries = tensors.map((tensor, index) => ({
    name: `${tensor.name}.npy`,
    bytes: (headers[index]?.length ?? 0) + bytesOfTensor(tensor),
  }));
  const { content, data, close } = openZip(entries);
  const values = data.map((file, index) => {
    const header = headers[index] ?? Buffer.of();
    file.set(header);
    return file.subarray(header.length);
  });
  return { content, values, close };
}

/** safetensors. The largest datatypes come first, so that every value is aligned to its size, as the library writes them. */
function openSafetensors(tensors: readonly TensorDescription[]): OpenFile {
  const ordered = widestFirst(tensors);
  const header = safetensorsHeader(ordered.map((tensor) => ({ ...tensor, bytes: bytesOfTensor(tensor) })));
  const { content, close } = openFile(header, ordered);
  return { content, values: valuesAfter(content, header.length, ordered, tensors), close };
}
