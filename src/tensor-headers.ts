import { type DatatypeForms, type DatatypeName, datatypes } from './datatypes.ts';

/*
 * The headers of files of tensors, behind which the values follow: of the processor's responses and of a corpus' shards.
 */

/** Values begin at a multiple of this, so that a mapped file has aligned values. */
const npyAlignment = 64;

/** Bytes of a .npy file before its text: the magic string, the version and the text's length. */
const npyPrefixBytes = 10;

/** Whether NumPy has a datatype. */
export function isOfNumpy(datatype: DatatypeName): boolean {
  const { npy }: DatatypeForms = datatypes[datatype];
  return npy !== undefined;
}

/**
 * The header of a .npy file, version 1.0, as `numpy.save` writes it (NEP 1).
 *
 * https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 *
 * @throws RangeError for a datatype that NumPy lacks
 */
export function npyHeader(datatype: DatatypeName, shape: readonly number[]): Buffer {
  const { npy }: DatatypeForms = datatypes[datatype];
  if (npy === undefined) throw new RangeError(`NumPy has no ${datatype}`);
  const text = `{'descr': '${npy}', 'fortran_order': False, 'shape': (${pythonTuple(shape)}), }`;
  const bytes = Math.ceil((npyPrefixBytes + text.length + 1) / npyAlignment) * npyAlignment;
  const padded = text.padEnd(bytes - npyPrefixBytes - 1);
  const header = Buffer.from(`\x93NUMPY\x01\x00\x00\x00${padded}\n`, 'latin1');
  header.writeUInt16LE(padded.length + 1, 8);
  return header;
}

/** The inner part of a Python tuple: a comma follows an only element. */
function pythonTuple(values: readonly number[]): string {
  return values.length === 1 ? `${values[0]},` : values.join(', ');
}

/**
 * The header of a safetensors file: the JSON's length in 8 bytes, and JSON padded with spaces to a multiple of 8.
 *
 * https://huggingface.co/docs/safetensors
 *
 * @param tensors - in the order of their values, `widestFirst`
 * @param metadata - texts by name
 */
export function safetensorsHeader(
  tensors: readonly {
    readonly name: string;
    readonly datatype: DatatypeName;
    readonly shape: readonly number[];
    readonly bytes: number;
  }[],
  metadata?: Readonly<Record<string, string>>,
): Buffer {
  let at = 0;
  const members = tensors.map(({ name, datatype, shape, bytes }) => {
    const start = at;
    at += bytes;
    return [name, { dtype: datatypes[datatype].safetensors, shape, data_offsets: [start, at] }] as const;
  });
  const json = Object.fromEntries([
    ...(metadata === undefined ? [] : [['__metadata__', metadata] as const]),
    ...members,
  ]);
  const text = Buffer.from(JSON.stringify(json));
  const header = Buffer.alloc(8 + Math.ceil(text.length / 8) * 8, ' ');
  header.writeBigUInt64LE(BigInt(header.length - 8));
  header.set(text, 8);
  return header;
}

/** Tensors with the largest datatypes first, so that every value is aligned to its size, as safetensors writes them. */
export function widestFirst<Tensor extends { readonly datatype: DatatypeName }>(
  tensors: readonly Tensor[],
): readonly Tensor[] {
  return tensors.toSorted((a, b) => datatypes[b.datatype].bytes - datatypes[a.datatype].bytes);
}
