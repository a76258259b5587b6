import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import {
  type ArrayContainer,
  openContainer,
  type Tensor,
} from '../../../src/processor/image/tensor-container.ts';
import { findPythonWith } from '../../support/python.ts';

const values = Uint8Array.from({ length: 24 }, (_, at) => at);

const single = (datatype: Tensor['datatype'], shape: readonly number[]): Tensor[] => [
  { name: 'image', datatype, shape, values },
];

/** A tensor of odd length, and one whose values need alignment. */
const several: readonly Tensor[] = [
  { name: 'image', datatype: 'UINT8', shape: [1, 3], values: Uint8Array.of(1, 2, 3) },
  {
    name: 'pixel_values',
    datatype: 'FP32',
    shape: [1, 2, 1, 1],
    values: new Uint8Array(new Float32Array([0.5, -2]).buffer),
  },
];

function containTensors(tensors: readonly Tensor[], container: ArrayContainer) {
  const open = openContainer(tensors, container);
  for (const [index, tensor] of tensors.entries()) open.values[index]?.set(tensor.values);
  open.close();
  return open;
}

const python = findPythonWith('numpy');

describe(openContainer, () => {
  it('returns only the values as raw', () => {
    const { content, contentType } = containTensors(single('FP32', [6]), 'raw');
    expect([contentType, content]).toEqual(['application/octet-stream', values]);
  });

  it.each([
    ['UINT8', '|u1', [2, 3, 2, 2]],
    ['FP16', '<f2', [2, 3, 1, 2]],
    ['FP32', '<f4', [2, 3, 1, 1]],
  ] as const)('writes %s as %s in npy, the values beginning at a multiple of 64', (datatype, type, shape) => {
    const { content } = containTensors(single(datatype, shape), 'npy');
    const bytes = Buffer.from(content);
    const start = 10 + bytes.readUInt16LE(8);
    expect(start % 64).toBe(0);
    expect(bytes.toString('latin1', 0, 8)).toBe('\x93NUMPY\x01\x00');
    const header = bytes.toString('latin1', 10, start);
    expect(header.trimEnd()).toBe(
      `{'descr': '${type}', 'fortran_order': False, 'shape': (${shape.join(', ')}), }`,
    );
    expect(header.at(-1)).toBe('\n');
    expect([...bytes.subarray(start)]).toEqual([...values]);
  });

  it.each([
    ['UINT8', 'U8', [2, 3, 2, 2]],
    ['FP16', 'F16', [2, 3, 1, 2]],
    ['FP32', 'F32', [2, 3, 1, 1]],
    ['BF16', 'BF16', [2, 3, 1, 2]],
  ] as const)(
    'writes %s as %s in safetensors, the values beginning at a multiple of 8',
    (datatype, dtype, shape) => {
      const bytes = Buffer.from(containTensors(single(datatype, shape), 'safetensors').content);
      const start = 8 + Number(bytes.readBigUInt64LE());
      expect(start % 8).toBe(0);
      expect(JSON.parse(bytes.toString('utf8', 8, start))).toEqual({
        image: { dtype, shape, data_offsets: [0, 24] },
      });
      expect([...bytes.subarray(start)]).toEqual([...values]);
    },
  );

  it('writes several tensors in safetensors, the largest datatype first, so that all are aligned', () => {
    const bytes = Buffer.from(containTensors(several, 'safetensors').content);
    const start = 8 + Number(bytes.readBigUInt64LE());
    expect(JSON.parse(bytes.toString('utf8', 8, start))).toEqual({
      pixel_values: { dtype: 'F32', shape: [1, 2, 1, 1], data_offsets: [0, 8] },
      image: { dtype: 'U8', shape: [1, 3], data_offsets: [8, 11] },
    });
    expect([bytes.readFloatLE(start), bytes.readFloatLE(start + 4)]).toEqual([0.5, -2]);
    expect([...bytes.subarray(start + 8)]).toEqual([1, 2, 3]);
  });

  it.runIf(python !== undefined)('writes an npz that numpy.load reads (needs NumPy)', () => {
    const { content, contentType } = containTensors(several, 'npz');
    expect(contentType).toBe('application/x-npz');
    const program = `
import io, json, sys, zipfile, numpy
data = sys.stdin.buffer.read()
assert zipfile.ZipFile(io.BytesIO(data)).testzip() is None
arrays = numpy.load(io.BytesIO(data), allow_pickle=False)
print(json.dumps({name: [str(arrays[name].dtype), arrays[name].shape, arrays[name].ravel().tolist()] for name in arrays}))
written = io.BytesIO()
numpy.savez(written, **{name: arrays[name] for name in arrays})
ours, theirs = (zipfile.ZipFile(file).infolist() for file in (io.BytesIO(data), written))
assert [(i.filename, i.date_time, i.compress_type, i.CRC, i.file_size) for i in ours] == [
    (i.filename, i.date_time, i.compress_type, i.CRC, i.file_size) for i in theirs
]`;
    const { stdout, stderr } = spawnSync(python as string, ['-c', program], { input: content });
    expect(stderr.toString()).toBe('');
    expect(JSON.parse(stdout.toString())).toEqual({
      image: ['uint8', [1, 3], [1, 2, 3]],
      pixel_values: ['float32', [1, 2, 1, 1], [0.5, -2]],
    });
  });

  it('writes the inputs of an inference request, then their values', () => {
    const { content, contentType } = containTensors(several, 'open_inference');
    const header = JSON.stringify({
      inputs: [
        { name: 'image', shape: [1, 3], datatype: 'UINT8', parameters: { binary_data_size: 3 } },
        { name: 'pixel_values', shape: [1, 2, 1, 1], datatype: 'FP32', parameters: { binary_data_size: 8 } },
      ],
    });
    expect(contentType).toBe('application/octet-stream');
    expect(Buffer.from(content).toString('latin1')).toBe(
      header + several.map((each) => Buffer.from(each.values).toString('latin1')).join(''),
    );
  });

  it.each(['raw', 'npy'] as const)('writes no second tensor to %s', (container) => {
    expect(() => containTensors(several, container)).toThrow('2 tensors in a file of one');
    expect(() => containTensors([], container)).toThrow('0 tensors in a file of one');
  });
});

describe(openContainer, () => {
  it.each(['raw', 'npy', 'safetensors', 'npz', 'open_inference'] as const)(
    'gives the same bytes in %s for values that are written later, in any order',
    (container) => {
      const tensors = container === 'raw' || container === 'npy' ? several.slice(0, 1) : several;
      const open = openContainer(tensors, container);
      for (const [index, { values }] of [...tensors.entries()].reverse()) open.values[index]?.set(values);
      open.close();
      expect(Buffer.from(open.content).equals(containTensors(tensors, container).content)).toBe(true);
    },
  );
});
