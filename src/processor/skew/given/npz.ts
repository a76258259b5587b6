import { Failure } from '../../../failures.ts';
import type { GivenTensor } from './given-tensor.ts';
import { readNpy, readNpyHeader } from './npy.ts';
import { choose, type StoredTensor } from './stored-tensor.ts';
import { readZip, type ZipMember } from './zip.ts';

export const zipMagic = 'PK';

/**
 * Bytes of one inflated array. Tensors of photographs are compressed to a third at best; the constant leaves room for
 * those of drawings.
 *
 * @param fileBytes - of the .npz file
 */
export function inflatedBytesOf(fileBytes: number): number {
  return 4 * fileBytes + 16 * 1024 * 1024;
}

/**
 * Reads an array of a file of numpy.savez or numpy.savez_compressed.
 *
 * @param name - of the array; empty: see `choose`
 * @throws TENSOR_INVALID
 */
export function readNpz(content: Uint8Array, name: string, expected: GivenTensor): GivenTensor {
  const arrays = readZip(content)
    .filter((member) => member.name.endsWith('.npy'))
    .map((member) => ({ ...describe(member), member }));
  const chosen = choose(arrays, name.replace(/\.npy$/, ''), expected);
  return readNpy(chosen.member.content(inflatedBytesOf(content.length)), chosen.name);
}

/** An array that cannot be read is no candidate, but may be named. */
function describe(member: ZipMember): StoredTensor {
  const name = member.name.slice(0, -'.npy'.length);
  try {
    const { datatype, shape } = readNpyHeader(member.beginning());
    return { name, datatype, shape };
  } catch (error) {
    if (error instanceof Failure) return { name, datatype: undefined, shape: [] };
    throw error;
  }
}
