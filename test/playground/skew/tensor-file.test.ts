import { unzipSync, zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { type Given, kindOf, shapeIn } from '../../../src/playground/skew/given.ts';
import { readTensorFile } from '../../../src/playground/skew/tensor-file.ts';

const about = { name: 'pixel_values', datatype: 'FP16', shape: [1, 2] };

/** A .npy file of two values in FP16. */
function npy(descr = '<f2', order = 'False'): Uint8Array<ArrayBuffer> {
  const header = `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': (1, 2), }`.padEnd(117);
  const text = `\x93NUMPY\x01\x00${String.fromCharCode(118)}\x00${header}\n`;
  return Uint8Array.from([...Buffer.from(text, 'latin1'), 0, 0x3c, 0, 0x40]);
}

const safetensorsHeader = JSON.stringify({
  __metadata__: { format: 'np' },
  mask: { dtype: 'U8', shape: [2], data_offsets: [0, 2] },
  pixel_values: { dtype: 'F16', shape: [1, 2], data_offsets: [2, 6] },
});
const safetensors = Uint8Array.from([
  safetensorsHeader.length,
  ...[0, 0, 0, 0, 0, 0, 0],
  ...Buffer.from(safetensorsHeader),
  ...[9, 9, 0, 0x3c, 0, 0x40],
]);

function given(bytes: Uint8Array<ArrayBuffer>, kind: Given['kind']): Given {
  return { name: 'x', file: new Blob([bytes]), kind };
}

describe(readTensorFile, () => {
  it.each([
    ['a .npy file', npy(), 'npy'],
    ['a .npz file that is deflated', zipped(6), 'npz'],
    ['a .npz file that is stored', zipped(0), 'npz'],
    ['a safetensors file of several tensors', safetensors, 'safetensors'],
    ['raw values', Uint8Array.of(0, 0x3c, 0, 0x40), 'raw'],
  ] as const)('finds the values in %s', async (_, bytes, kind) => {
    const found = await readTensorFile(given(bytes, kind), about);
    expect(found).toMatchObject({ datatype: 'FP16', shape: [1, 2] });
    expect(await found?.values.bytes()).toEqual(Uint8Array.of(0, 0x3c, 0, 0x40));
  });

  it.each([
    ['big-endian values', npy('>f4'), 'npy'],
    ['Fortran order', npy('<f2', 'True'), 'npy'],
    ['a ZIP file without the tensor', Uint8Array.from(zipSync({ 'a.npy': npy() })), 'npz'],
    ['an archive that is cut off', zipped(6).subarray(0, 60), 'npz'],
  ] as const)('does not draw %s', async (_, bytes, kind) => {
    expect(await readTensorFile(given(bytes, kind), about)).toBeUndefined();
  });

  function zipped(level: 0 | 6): Uint8Array<ArrayBuffer> {
    const archive = Uint8Array.from(zipSync({ 'ids.npy': npy('<i4'), 'pixel_values.npy': npy() }, { level }));
    expect(Object.keys(unzipSync(archive))).toEqual(['ids.npy', 'pixel_values.npy']);
    return archive;
  }
});

describe(kindOf, () => {
  it.each([
    ['a.npy', npy(), 'npy'],
    ['a.bin', npy(), 'npy'],
    ['a.npz', Uint8Array.from(zipSync({ 'a.npy': npy() })), 'npz'],
    ['a.safetensors', safetensors, 'safetensors'],
    ['a.bin', Uint8Array.of(1, 2, 3), 'raw'],
    ['a.tiff', Uint8Array.of(0x49, 0x49, 0x2a, 0), 'picture'],
    ['a.npy', new Uint8Array(0), 'raw'],
  ])('detects the content of %s', async (name, bytes, kind) => {
    expect(await kindOf(new File([bytes], name))).toBe(kind);
  });
});

describe(shapeIn, () => {
  it.each(['1,3,224,224', '(1, 3, 224, 224)', '1 × 3 × 224 × 224', '[1 3 224 224]'])('reads %s', (text) => {
    expect(shapeIn(text)).toEqual([1, 3, 224, 224]);
  });

  it('finds no length in an empty text', () => {
    expect(shapeIn('')).toEqual([]);
  });
});
