import { type DatatypeForms, type DatatypeName, datatypes } from '../../../datatypes.ts';

/** Values begin at a multiple of this, so that a mapped file has aligned values. */
const alignment = 64;

/** Whether NumPy has a datatype. */
export function isOfNumpy(datatype: DatatypeName): boolean {
  const { npy }: DatatypeForms = datatypes[datatype];
  return npy !== undefined;
}

/**
 * The header of a .npy file, version 1.0, as `numpy.save` writes it.
 *
 * https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 *
 * @throws RangeError for a datatype that NumPy lacks
 */
export function npyHeader(datatype: DatatypeName, shape: readonly number[]): Buffer {
  const { npy }: DatatypeForms = datatypes[datatype];
  if (npy === undefined) throw new RangeError(`NumPy has no ${datatype}`);
  const axes = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const header = `{'descr': '${npy}', 'fortran_order': False, 'shape': (${axes}), }`;
  const bytes = Math.ceil((10 + header.length + 1) / alignment) * alignment;
  const start = Buffer.from([0x93, ...Buffer.from('NUMPY'), 1, 0, (bytes - 10) & 255, (bytes - 10) >> 8]);
  return Buffer.concat([start, Buffer.from(`${header.padEnd(bytes - 11)}\n`)]);
}
