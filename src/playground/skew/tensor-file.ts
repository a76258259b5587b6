import type { Given } from './given.ts';

/*
 * Reads the tensors of other programs, only to draw them. The service checks the files; what is not understood here is
 * not drawn. Only the header and the values of one tensor are read.
 */

/** The values of a tensor, little-endian, in C order. */
export interface TensorFile {
  readonly datatype: string;
  readonly shape: readonly number[];
  readonly values: Blob;
}

/** A header with the names of its types in the Open Inference Protocol. */
const npyTypes: Readonly<Record<string, string>> = {
  '|u1': 'UINT8',
  '<f2': 'FP16',
  '<f4': 'FP32',
  '<f8': 'FP64',
  '<i4': 'INT32',
  '<i8': 'INT64',
};

const safetensorsTypes: Readonly<Record<string, string>> = {
  U8: 'UINT8',
  F16: 'FP16',
  BF16: 'BF16',
  F32: 'FP32',
  F64: 'FP64',
  I32: 'INT32',
  I64: 'INT64',
};

/** The longest header that is read, in bytes. */
const maxHeaderBytes = 1_000_000;

/**
 * Finds the values of a tensor.
 *
 * @param about - what the service has read: the name, the datatype and the shape of the tensor
 * @returns undefined for a form that is not drawn, such as Fortran order
 */
export async function readTensorFile(
  { file, kind }: Given,
  about: { readonly name: string; readonly datatype: string; readonly shape: readonly number[] },
): Promise<TensorFile | undefined> {
  switch (kind) {
    case 'npy':
      return readNpy(file);
    case 'npz':
      return readNpz(file, about.name);
    case 'safetensors':
      return readSafetensors(file, about.name);
    case 'raw':
      return { datatype: about.datatype, shape: about.shape, values: file };
    case 'picture':
      return undefined;
  }
}

/** NumPy's NEP 1: magic, version, length of the header, header, values. */
async function readNpy(file: Blob): Promise<TensorFile | undefined> {
  const start = await viewOf(file, 0, 12);
  const lengthBytes = start.getUint8(6) === 1 ? 2 : 4;
  const length = lengthBytes === 2 ? start.getUint16(8, true) : start.getUint32(8, true);
  const from = 8 + lengthBytes;
  if (length > maxHeaderBytes) return undefined;
  const header = await file.slice(from, from + length).text();
  const datatype = npyTypes[/'descr': '([^']+)'/.exec(header)?.[1] ?? ''];
  const shape = /'shape': \(([^)]*)\)/.exec(header)?.[1]?.match(/\d+/g)?.map(Number);
  if (datatype === undefined || shape === undefined || header.includes("'fortran_order': True")) {
    return undefined;
  }
  return { datatype, shape, values: file.slice(from + length) };
}

/** https://huggingface.co/docs/safetensors: the length of a JSON object, the object, the values. */
async function readSafetensors(file: Blob, name: string): Promise<TensorFile | undefined> {
  const length = Number((await viewOf(file, 0, 8)).getBigUint64(0, true));
  if (length > maxHeaderBytes) return undefined;
  const header = JSON.parse(await file.slice(8, 8 + length).text()) as Record<
    string,
    { dtype?: string; shape?: number[]; data_offsets?: [number, number] }
  >;
  const { dtype = '', shape, data_offsets: offsets } = header[name] ?? {};
  const datatype = safetensorsTypes[dtype];
  if (datatype === undefined || shape === undefined || offsets === undefined) return undefined;
  return { datatype, shape, values: file.slice(8 + length + offsets[0], 8 + length + offsets[1]) };
}

/** A ZIP file of npy files, stored or deflated, found by its directory (APPNOTE 4.3.12, 4.3.16). */
async function readNpz(file: Blob, name: string): Promise<TensorFile | undefined> {
  const tailStart = Math.max(0, file.size - 65_557);
  const tail = await viewOf(file, tailStart, file.size);
  let end = tail.byteLength - 22;
  while (end >= 0 && tail.getUint32(end, true) !== 0x06_05_4b_50) end--;
  if (end < 0) return undefined;
  const [size, offset] = [tail.getUint32(end + 12, true), tail.getUint32(end + 16, true)];
  if (size > maxHeaderBytes) return undefined;
  const directory = await viewOf(file, offset, offset + size);
  for (let at = 0; at + 46 <= directory.byteLength; ) {
    const [nameLength, extra, comment] = [28, 30, 32].map((place) => directory.getUint16(at + place, true));
    const entryName = textIn(directory, at + 46, nameLength ?? 0);
    if (entryName === `${name}.npy`) {
      const method = directory.getUint16(at + 10, true);
      const packed = directory.getUint32(at + 20, true);
      const content = await entryContent(file, directory.getUint32(at + 42, true), packed, method);
      return readNpy(content);
    }
    at += 46 + (nameLength ?? 0) + (extra ?? 0) + (comment ?? 0);
  }
  return undefined;
}

async function entryContent(file: Blob, offset: number, packed: number, method: number): Promise<Blob> {
  const header = await viewOf(file, offset, offset + 30);
  const start = offset + 30 + header.getUint16(26, true) + header.getUint16(28, true);
  const content = file.slice(start, start + packed);
  if (method === 0) return content;
  return new Response(content.stream().pipeThrough(new DecompressionStream('deflate-raw'))).blob();
}

async function viewOf(file: Blob, from: number, to: number): Promise<DataView> {
  return new DataView(await file.slice(from, to).arrayBuffer());
}

function textIn({ buffer }: DataView, from: number, length: number): string {
  return new TextDecoder().decode(new Uint8Array(buffer as ArrayBuffer, from, length));
}
