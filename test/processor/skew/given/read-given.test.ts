import { deflateRawSync } from 'node:zlib';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { readHeader } from '../../../../src/processor/codecs/read-header.ts';
import type { Plan } from '../../../../src/processor/image/plan.ts';
import type { GivenFile } from '../../../../src/processor/skew/given/given-file.ts';
import type { GivenTensor } from '../../../../src/processor/skew/given/given-tensor.ts';
import { readGiven } from '../../../../src/processor/skew/given/read-given.ts';
import { failureOfPromise } from '../../../support/failure.ts';
import { files, values } from './files.ts';

const shape = [1, 3, 2, 2];
const expected: GivenTensor = { name: 'pixel_values', datatype: 'FP32', shape, values };

const plan: Plan = {
  numerics: 'pillow',
  alpha: 'dropped',
  steps: [],
  output: {
    kind: 'tensor',
    name: 'pixel_values',
    datatype: 'FP32',
    layout: 'NCHW',
    rescaleFactor: 1 / 255,
    mean: [0.5],
    std: [0.5],
    channelOrder: 'BGR',
    container: 'npy',
  },
};

type TensorFile = Extract<GivenFile, { kind: 'tensor' }>;

function file(content: Uint8Array, options: Partial<TensorFile> = {}): TensorFile {
  return { kind: 'tensor', content, container: undefined, shape: [], datatype: '', name: '', ...options };
}

const read = (content: Uint8Array, options: Partial<TensorFile> = {}) =>
  readGiven(file(content, options), expected, plan);

/** The failure of a file. */
async function failure(content: Uint8Array, options: Partial<TensorFile> = {}) {
  const { reason, message, metadata } = (await failureOfPromise(read(content, options))) ?? {};
  return { reason, message, metadata };
}

/** A .npy file of version 1.0. */
function npy(header: string, data: Uint8Array = Buffer.alloc(0)): Buffer {
  const start = Buffer.from('\x93NUMPY\x01\x00\x00\x00', 'latin1');
  start.writeUInt16LE(header.length, 8);
  return Buffer.concat([start, Buffer.from(header, 'latin1'), data]);
}

function npyOf(descr: string, dimensions: string, data: Uint8Array): Buffer {
  return npy(`{'descr': '${descr}', 'fortran_order': False, 'shape': (${dimensions}), }`, data);
}

function safetensors(header: object | string, data: Uint8Array = Buffer.alloc(0)): Buffer {
  const text = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, data]);
}

const fp32 = (numbers: readonly number[]) => new Uint8Array(Float32Array.from(numbers).buffer);

describe('files of NumPy and safetensors', () => {
  test.each(['npy1', 'npy2', 'npy3', 'fortran', 'bigEndian', 'npz', 'compressedNpz', 'safetensors'] as const)(
    'the tensor in %s is read in C order',
    async (name) => {
      expect(await read(files[name])).toEqual(expected);
    },
  );

  test('a bfloat16 array of ml_dtypes is read as BF16', async () => {
    expect(await read(files.bfloat16)).toEqual({ ...expected, datatype: 'BF16' });
  });

  test.each([
    ['|i1', 'INT8', Int8Array],
    ['<i2', 'INT16', Int16Array],
    ['<u2', 'UINT16', Uint16Array],
    ['<i4', 'INT32', Int32Array],
    ['<f8', 'FP64', Float64Array],
    ['|u1', 'UINT8', Uint8Array],
  ] as const)('values of the descr %s are %s', async (descr, datatype, type) => {
    const data = new type([1, 2, 3, 4]);
    const { datatype: own, values: read4 } = await read(npyOf(descr, '2, 2', new Uint8Array(data.buffer)));
    expect([own, read4]).toEqual([datatype, data]);
  });

  test('int64 and float16 values become numbers', async () => {
    const long = await read(npyOf('<i8', '2, 2', new Uint8Array(BigInt64Array.of(-1n, 2n, 3n, 4n).buffer)));
    const half = await read(npyOf('<f2', '2, 2', new Uint8Array(Float16Array.of(0.1, 2, 3, 4).buffer)));
    expect([...long.values]).toEqual([-1, 2, 3, 4]);
    expect([...half.values]).toEqual([Math.f16round(0.1), 2, 3, 4]);
  });

  test('values without a header have the shape and the datatype of the request', async () => {
    const content = new Uint8Array(values.buffer);
    expect(await read(content, { shape, datatype: 'FP32' })).toEqual(expected);
    expect(await failure(content, { shape, datatype: 'float32' })).toMatchObject({
      reason: 'TENSOR_INVALID',
      metadata: {
        actual: 'float32',
        allowed: 'UINT8, FP16, BF16, FP32, FP64, INT8, INT16, UINT16, INT32, INT64',
      },
    });
    expect(await failure(content, { datatype: 'FP32' })).toMatchObject({ reason: 'TENSOR_INVALID' });
    expect(await failure(content, { shape })).toMatchObject({
      message: expect.stringContaining('need a datatype'),
    });
  });
});

describe('one tensor of several', () => {
  const entry = (from: number, to: number, of: number[], dtype = 'F32') => ({
    dtype,
    shape: of,
    data_offsets: [from, to],
  });

  test('the name of the request chooses', async () => {
    const two = safetensors(
      { a: entry(0, 16, [2, 2]), b: entry(16, 32, [2, 2]) },
      fp32([1, 2, 3, 4, 5, 6, 7, 8]),
    );
    expect((await read(two, { name: 'b' })).values).toEqual(Float32Array.of(5, 6, 7, 8));
    expect(await failure(two, { name: 'c' })).toMatchObject({
      reason: 'TENSOR_INVALID',
      metadata: { allowed: 'a, b' },
    });
    expect(await failure(two)).toEqual({
      reason: 'TENSOR_INVALID',
      message: "Several of the file's tensors can contain pixels. Set name to one of a, b.",
      metadata: { allowed: 'a, b' },
    });
  });

  test('without a name, the only tensor that can contain pixels is read', async () => {
    const one = safetensors({ ids: entry(0, 8, [2]), x: entry(8, 24, [2, 2]) }, fp32([1, 2, 3, 4, 5, 6]));
    expect(await read(one)).toMatchObject({ name: 'x', shape: [2, 2] });
  });

  test('without a name, the tensor of the expected shape is preferred to others', async () => {
    const data = new Uint8Array(16 + 48);
    const two = safetensors({ x: entry(0, 16, [2, 2]), y: entry(16, 64, shape) }, data);
    expect(await read(two)).toMatchObject({ name: 'y' });
  });

  test('a file without a tensor of pixels is refused with the names', async () => {
    const none = safetensors({ a: entry(0, 4, [1]), b: entry(4, 8, [1]) }, new Uint8Array(8));
    expect(await failure(none)).toMatchObject({
      message: "None of the file's tensors can contain pixels; it has a, b.",
    });
    expect(await failure(safetensors({}))).toMatchObject({ message: 'The file has no tensor.' });
  });
});

describe('broken files', () => {
  const cases: readonly (readonly [string, Uint8Array, Partial<TensorFile>, object])[] = [
    ['no bytes', Buffer.alloc(0), {}, { message: 'The tensor has no bytes.' }],
    ['an unknown file', Buffer.from('GIF89a'), {}, { message: expect.stringContaining('no .npy, no .npz') }],
    ['a truncated .npy', files.npy1.subarray(0, -1), {}, { metadata: { limit: '48', actual: '47' } }],
    [
      'trailing bytes',
      Buffer.concat([files.npy1, Buffer.of(0)]),
      {},
      { metadata: { limit: '48', actual: '49' } },
    ],
    [
      'a .npy cut within its header',
      files.npy1.subarray(0, 50),
      {},
      { metadata: { limit: '128', actual: '50' } },
    ],
    ['a .npy of 9 bytes', files.npy1.subarray(0, 9), {}, { metadata: { limit: '10', actual: '9' } }],
    [
      'version 4',
      Buffer.concat([Buffer.from('\x93NUMPY\x04\x00', 'latin1'), Buffer.alloc(20)]),
      {},
      { metadata: { limit: '3', actual: '4' } },
    ],
    [
      'a header without an end',
      npy('{'.padEnd(60_000)),
      {},
      { metadata: { limit: '10000', actual: '60000' } },
    ],
    ['a header that is no dict', npy('hello'), {}, { message: expect.stringContaining('hello') }],
    ['pickled objects', files.pickled, {}, { message: expect.stringContaining('never read') }],
    ['a structured array', files.structured, {}, { message: expect.stringContaining('structured array') }],
    ['complex values', npyOf('<c8', '2', Buffer.alloc(16)), {}, { metadata: { actual: '<c8' } }],
    ['booleans', npyOf('|b1', '2, 2', Buffer.alloc(4)), {}, { message: expect.stringContaining('booleans') }],
    ['an axis of 0', npyOf('<f4', '0, 3', Buffer.alloc(0)), {}, { metadata: { limit: '1', actual: '0' } }],
    [
      'a negative axis',
      npyOf('<f4', '-1, 3', Buffer.alloc(12)),
      {},
      { metadata: { limit: '1', actual: '-1' } },
    ],
    ['an axis in words', npyOf('<f4', 'x, 3', Buffer.alloc(12)), {}, { metadata: { actual: 'NaN' } }],
    [
      '1e9 × 1e9 values',
      npyOf('<f4', '1000000000, 1000000000', Buffer.alloc(12)),
      {},
      { metadata: { limit: '4000000000000000000', actual: '12' } },
    ],
    [
      '40 axes',
      npyOf('<f4', '1, '.repeat(40), Buffer.alloc(4)),
      {},
      { metadata: { limit: '8', actual: '40' } },
    ],
    [
      'a raw tensor of another size',
      Buffer.alloc(11),
      { shape: [3], datatype: 'FP32' },
      { metadata: { limit: '12', actual: '11' } },
    ],
    [
      'a raw tensor with an axis of 1.5',
      Buffer.alloc(6),
      { shape: [1.5], datatype: 'FP32' },
      { metadata: { actual: '1.5' } },
    ],
    ['a truncated .npz', files.npz.subarray(0, -1), {}, { message: expect.stringContaining('cut off') }],
    [
      'bytes after a .npz',
      Buffer.concat([files.npz, Buffer.of(0)]),
      {},
      { message: expect.stringContaining('others follow') },
    ],
    [
      'a truncated safetensors header',
      files.safetensors.subarray(0, 20),
      {},
      { metadata: { limit: '144', actual: '20' } },
    ],
    [
      'truncated safetensors',
      files.safetensors.subarray(0, -1),
      {},
      { metadata: { limit: '72', actual: '71' } },
    ],
    [
      'bytes after safetensors',
      Buffer.concat([files.safetensors, Buffer.of(0)]),
      {},
      { metadata: { limit: '72', actual: '73' } },
    ],
    [
      'a safetensors header that is no JSON',
      safetensors('{"a":'),
      {},
      { message: expect.stringContaining('no JSON') },
    ],
    [
      'a deeply nested safetensors header',
      safetensors(`{"a":${'['.repeat(500_000)}`),
      {},
      { message: expect.stringContaining('no JSON') },
    ],
    [
      'a safetensors header of 2 MiB',
      safetensors('{'.padEnd(2 ** 21)),
      {},
      { metadata: { limit: '1048576', actual: '2097152' } },
    ],
    [
      'a safetensors header of 2⁶³ bytes',
      Buffer.from('00000000000000807b7d', 'hex'),
      {},
      { metadata: { limit: '1048576' } },
    ],
    [
      'an entry without a shape',
      safetensors({ x: { dtype: 'F32' } }),
      {},
      { message: expect.stringContaining('tensor x') },
    ],
    [
      'an entry that is null',
      safetensors('{"x":null}'),
      {},
      { message: expect.stringContaining('tensor x') },
    ],
    [
      'a gap between tensors',
      safetensors({ x: { dtype: 'F32', shape: [1, 1], data_offsets: [4, 8] } }, Buffer.alloc(8)),
      {},
      { metadata: { limit: '0', actual: '4' } },
    ],
    [
      'a dtype of 8 bits',
      safetensors({ x: { dtype: 'F8_E4M3', shape: [1, 1], data_offsets: [0, 1] } }, Buffer.alloc(1)),
      {},
      { metadata: { actual: 'F8_E4M3' } },
    ],
    [
      'offsets of another length',
      safetensors({ x: { dtype: 'F32', shape: [2, 2], data_offsets: [0, 12] } }, Buffer.alloc(12)),
      {},
      { metadata: { limit: '16', actual: '12' } },
    ],
  ];
  test.each(cases)('%s: TENSOR_INVALID', async (_, content, options, failed) => {
    expect(await failure(content, options)).toMatchObject({ reason: 'TENSOR_INVALID', ...failed });
  });

  test('an array that inflates to more than the file may is refused by its declared size', async () => {
    const declared = zip('x.npy', deflateRawSync(Buffer.alloc(64 * 2 ** 20)), 64 * 2 ** 20);
    expect(await failure(declared)).toMatchObject({
      reason: 'TENSOR_INVALID',
      metadata: { actual: String(64 * 2 ** 20), limit: String(4 * declared.length + 16 * 2 ** 20) },
    });
  });

  test('an array that inflates to more than it declares is refused', async () => {
    const lying = zip('x.npy', deflateRawSync(Buffer.alloc(64 * 2 ** 20)), 100);
    // Without an actual length: the rest is never inflated.
    expect(await failure(lying)).toMatchObject({ reason: 'TENSOR_INVALID' });
    expect((await failure(lying)).metadata).toEqual({ limit: '100' });
  });

  test('a ZIP64 directory is refused by its name', async () => {
    const content = zip('x.npy', deflateRawSync(files.npy1), files.npy1.length);
    content.writeUInt32LE(0xff_ff_ff_ff, content.length - 6);
    expect(await failure(content)).toMatchObject({ message: expect.stringContaining('ZIP64') });
  });

  test('a wrong checksum is refused', async () => {
    const content = zip('x.npy', deflateRawSync(files.npy1), files.npy1.length);
    expect(await failure(content)).toMatchObject({ message: expect.stringContaining('checksum') });
  });

  test('values that are not finite are counted, and the first has its position', async () => {
    const some = values.slice();
    some[7] = Number.NaN;
    some[9] = Number.NEGATIVE_INFINITY;
    expect(await failure(new Uint8Array(some.buffer), { shape, datatype: 'FP32' })).toEqual({
      reason: 'TENSOR_NOT_FINITE',
      message: "2 of the tensor's 12 values are not finite in FP32; the first is NaN, at [0, 1, 1, 1].",
      metadata: { actual: 'NaN', index: '7', position: '0,1,1,1', count: '2' },
    });
    const huge = new Uint8Array(Float64Array.of(1e300).buffer);
    expect(await failure(huge, { shape: [1, 1], datatype: 'FP64' })).toMatchObject({
      reason: 'TENSOR_NOT_FINITE',
      metadata: { actual: '1e+300' },
    });
  });
});

describe('pictures', () => {
  async function readPng(data: readonly number[], channels: 1 | 3 | 4, steps: Plan['steps'] = []) {
    const width = data.length / channels;
    const content = await sharp(Uint8Array.from(data), { raw: { width, height: 1, channels } })
      .png()
      .toBuffer();
    const header = await readHeader(content, 100);
    return await readGiven({ kind: 'picture', content, header }, expected, { ...plan, steps });
  }

  test('a picture has the scale, mean, std, layout and channel order of the plan', async () => {
    expect(await readPng([255, 0, 51, 0, 0, 255], 3)).toEqual({
      name: 'picture',
      datatype: 'FP32',
      shape: [1, 3, 1, 2],
      values: Float32Array.of(Math.fround(Math.fround(0.2) - 0.5) * 2, 1, -1, -1, 1, -1),
    });
  });

  test('alpha is dropped, and gray is repeated', async () => {
    const values = Float32Array.of(-1, -1, 1, 1, 1, 1);
    expect((await readPng([255, 255, 0, 255, 255, 255, 0, 0], 4)).values).toEqual(values);
    expect((await readPng([255, 0], 1)).values).toEqual(Float32Array.of(1, -1, 1, -1, 1, -1));
  });

  test('a colour picture of gray levels has one channel where the plan has one', async () => {
    expect(await readPng([255, 255, 255, 0, 0, 0], 3, [{ kind: 'grayscale' }])).toMatchObject({
      shape: [1, 1, 1, 2],
      values: Float32Array.of(1, -1),
    });
  });
});

/** A ZIP file of one deflated member, with a checksum of 0. */
function zip(name: string, deflated: Uint8Array, bytes: number): Buffer {
  const fields = Buffer.alloc(26);
  fields.writeUInt16LE(20, 0);
  fields.writeUInt16LE(8, 4);
  fields.writeUInt32LE(deflated.length, 14);
  fields.writeUInt32LE(bytes, 18);
  fields.writeUInt16LE(name.length, 22);
  const local = Buffer.concat([Buffer.from('PK\x03\x04'), fields, Buffer.from(name), deflated]);
  const central = Buffer.concat([
    Buffer.from('PK\x01\x02\x14\x00'),
    fields,
    Buffer.alloc(14),
    Buffer.from(name),
  ]);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(1, 8);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(local.length, 16);
  return Buffer.concat([local, central, end]);
}

describe('damaged files', () => {
  const names = Object.keys(files) as (keyof typeof files)[];

  /** The outcomes of reading. @throws anything but a Failure */
  async function outcomes(contents: Iterable<Uint8Array>): Promise<ReadonlySet<string>> {
    const found = new Set<string>();
    for (const content of contents) found.add((await failureOfPromise(read(content)))?.reason ?? 'read');
    return found;
  }

  test.each(names)('%s: every truncation is refused', async (name) => {
    const content = files[name];
    const truncations = Array.from(content, (_, length) => content.subarray(0, length));
    expect([...(await outcomes(truncations))]).toEqual(['TENSOR_INVALID']);
  });

  test.each(names)('%s: flipped bits give a tensor or a failure', async (name) => {
    const flipped = Array.from(files[name], (byte, index) => {
      const content = Buffer.from(files[name]);
      content[index] = byte ^ (1 << ((index * 3) & 7));
      return content;
    });
    const allowed = new Set(['read', 'TENSOR_INVALID', 'TENSOR_NOT_FINITE']);
    expect([...(await outcomes(flipped))].filter((outcome) => !allowed.has(outcome))).toEqual([]);
  });
});
