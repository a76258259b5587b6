import { type DatatypeName, datatypes } from '../../../datatypes.ts';
import { shortened } from '../../../shortened.ts';
import type { GivenTensor } from './given-tensor.ts';
import { choose, type StoredTensor, tensorOf } from './stored-tensor.ts';
import { tensorInvalid } from './tensor-invalid.ts';

/* safetensors: https://huggingface.co/docs/safetensors, "Format". */

/** The library permits 100 MB; the headers of a model's inputs have some hundred bytes. */
const maxHeaderBytes = 1024 * 1024;

interface Entry extends StoredTensor {
  readonly dtype: string;
  /** Of the values, from the end of the header. */
  readonly from: number;
  readonly to: number;
}

/** Whether bytes begin as safetensors do: eight bytes of length, and a JSON object. */
export function isSafetensors(content: Uint8Array): boolean {
  return content[8] === 0x7b;
}

/**
 * Reads a tensor of a safetensors file.
 *
 * @param name - of the tensor; empty: see `choose`
 * @throws TENSOR_INVALID
 */
export function readSafetensors(content: Uint8Array, name: string, expected: GivenTensor): GivenTensor {
  const file = Buffer.from(content.buffer, content.byteOffset, content.length);
  const start = 8 + headerBytes(file);
  const entries = parseEntries(file.toString('utf8', 8, start));
  checkLayout(entries, file.length - start);
  const { datatype, shape, dtype, from, to, ...chosen } = choose(entries, name, expected);
  if (datatype === undefined) {
    throw tensorInvalid(
      `The tensor has the dtype ${shortened(dtype)}; its pixels have to be of one of ${Object.keys(datatypeOf).join(', ')}.`,
      { allowed: Object.keys(datatypeOf).join(', '), actual: shortened(dtype) },
    );
  }
  return tensorOf({ name: chosen.name, datatype, shape }, file.subarray(start + from, start + to));
}

function headerBytes(file: Buffer): number {
  if (file.length < 8) throw cutOff(8, file.length);
  const length = Number(file.readBigUInt64LE(0));
  if (length > maxHeaderBytes) {
    throw tensorInvalid(
      `The header of the safetensors file has ${length} bytes; at most ${maxHeaderBytes} are read.`,
      {
        limit: maxHeaderBytes,
        actual: length,
      },
    );
  }
  if (8 + length > file.length) throw cutOff(8 + length, file.length);
  return length;
}

function cutOff(limit: number, actual: number): ReturnType<typeof tensorInvalid> {
  return tensorInvalid(
    `The safetensors file is cut off: its header ends at byte ${limit}; the file has ${actual}.`,
    { limit, actual },
  );
}

function parseEntries(text: string): readonly Entry[] {
  let header: unknown;
  try {
    header = JSON.parse(text);
  } catch {
    throw tensorInvalid('The header of the safetensors file is no JSON.');
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header))
    throw tensorInvalid('The header of the safetensors file is no JSON object.');
  return Object.entries(header)
    .filter(([name]) => name !== '__metadata__')
    .map(([name, entry]) => parseEntry(name, entry));
}

function parseEntry(name: string, entry: unknown): Entry {
  const { dtype, shape, data_offsets: offsets } = (entry ?? {}) as Record<string, unknown>;
  if (typeof dtype !== 'string' || !isLengths(shape) || !isLengths(offsets) || offsets.length !== 2) {
    throw tensorInvalid(
      `The safetensors file has no valid dtype, shape and data_offsets for the tensor ${shortened(name)}.`,
    );
  }
  const [from = 0, to = 0] = offsets;
  return { name, datatype: datatypeOf[dtype], dtype, shape, from, to };
}

function isLengths(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((length) => Number.isSafeInteger(length) && length >= 0);
}

/** The tensors follow each other from the header to the end of the file, as the library requires. */
function checkLayout(entries: readonly Entry[], dataBytes: number): void {
  let at = 0;
  for (const { name, from, to } of entries.toSorted((a, b) => a.from - b.from || a.to - b.to)) {
    if (from !== at || to < from) {
      throw tensorInvalid(
        `The values of the tensor ${shortened(name)} are at bytes ${from} to ${to}; they have to begin at ${at}, where the ones before end.`,
        { limit: at, actual: from },
      );
    }
    at = to;
  }
  if (at === dataBytes) return;
  throw tensorInvalid(
    `The safetensors file ${at > dataBytes ? 'is cut off' : 'is followed by other bytes'}: its tensors have ${at} bytes; ${dataBytes} follow the header.`,
    { limit: at, actual: dataBytes },
  );
}

const datatypeOf: Readonly<Record<string, DatatypeName>> = Object.fromEntries(
  Object.entries(datatypes).map(([name, { safetensors }]) => [safetensors, name as DatatypeName]),
);
