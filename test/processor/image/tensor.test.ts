import { describe, expect, it } from 'vitest';
import type { Pixels } from '../../../src/processor/image/pixels.ts';
import type { TensorPlan } from '../../../src/processor/image/plan.ts';
import { tensors } from '../../../src/processor/image/tensor.ts';
import { floatTensor } from '../../support/plans.ts';
import { tensor } from '../../support/tensors.ts';

/** 2 × 1 pixels: (1, 2, 3) and (4, 5, 6). */
const colour: Pixels = { data: Uint8Array.of(1, 2, 3, 4, 5, 6), width: 2, height: 1, channels: 3 };
const gray = (...values: number[]): Pixels => ({
  data: Uint8Array.from(values),
  width: values.length,
  height: 1,
  channels: 1,
});

const plan = (some: Partial<TensorPlan> = {}): TensorPlan => ({ ...floatTensor, ...some });

const floats = ({ content }: { content: Uint8Array }) => {
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
  return Array.from({ length: content.length / 4 }, (_, i) => view.getFloat32(i * 4, true));
};

/** 16-bit values in hex: FP16 and BF16 bits. */
const halves = (image: Pixels, some: Partial<TensorPlan>) => {
  const { content } = tensor(image, plan(some));
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
  return Array.from({ length: content.length / 2 }, (_, i) =>
    view
      .getUint16(i * 2, true)
      .toString(16)
      .padStart(4, '0'),
  );
};

/** A .npy file by NEP 1: magic, version, length of the header, a Python dict, the values. */
function parseNpy(file: Uint8Array) {
  const bytes = Buffer.from(file);
  expect(bytes.toString('latin1', 0, 8)).toBe('\x93NUMPY\x01\x00');
  const start = 10 + bytes.readUInt16LE(8);
  const header = bytes.toString('latin1', 10, start);
  const [, type, order, shape = ''] =
    /^\{'descr': '(.*?)', 'fortran_order': (True|False), 'shape': \((.*?)\), \} *\n$/.exec(header) ?? [];
  return { start, type, order, shape: shape.split(',').map(Number), values: bytes.subarray(start) };
}

/** A safetensors file: length of the header in 8 bytes, JSON, the values. */
function parseSafetensors(file: Uint8Array) {
  const bytes = Buffer.from(file);
  const start = 8 + Number(bytes.readBigUInt64LE(0));
  return { start, header: JSON.parse(bytes.toString('utf8', 8, start)), values: bytes.subarray(start) };
}

describe(tensors, () => {
  it('separates channels in NCHW', () => {
    const output = tensor(colour, plan());
    expect(floats(output)).toEqual([1, 4, 2, 5, 3, 6]);
    expect(output.tensors).toEqual([{ name: 'image', datatype: 'FP32', shape: [1, 3, 1, 2] }]);
    expect(output.contentType).toBe('application/octet-stream');
  });

  it('keeps the channels of a pixel together in NHWC', () => {
    const output = tensor(colour, plan({ layout: 'NHWC' }));
    expect(floats(output)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(output.tensors[0]?.shape).toEqual([1, 1, 2, 3]);
  });

  it('reverses the channels for BGR, in either layout', () => {
    expect(floats(tensor(colour, plan({ channelOrder: 'BGR' })))).toEqual([3, 6, 2, 5, 1, 4]);
    expect(floats(tensor(colour, plan({ channelOrder: 'BGR', layout: 'NHWC' })))).toEqual([3, 2, 1, 6, 5, 4]);
  });

  it('has one channel for a gray image, also with BGR', () => {
    const output = tensor(gray(7, 8), plan({ channelOrder: 'BGR' }));
    expect(floats(output)).toEqual([7, 8]);
    expect(output.tensors[0]?.shape).toEqual([1, 1, 1, 2]);
    expect(tensor(gray(7, 8), plan({ layout: 'NHWC' })).tensors[0]?.shape).toEqual([1, 1, 2, 1]);
  });

  it('goes row by row', () => {
    const square: Pixels = { data: Uint8Array.of(1, 2, 3, 4, 5, 6), width: 2, height: 3, channels: 1 };
    const output = tensor(square, plan());
    expect(floats(output)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(output.tensors[0]?.shape).toEqual([1, 1, 3, 2]);
  });

  it('keeps the pixels as UINT8', () => {
    const output = tensor(colour, plan({ datatype: 'UINT8', layout: 'NHWC' }));
    expect([...output.content]).toEqual([1, 2, 3, 4, 5, 6]);
    expect(output.tensors[0]?.datatype).toBe('UINT8');
  });

  it('rescales, subtracts the mean and divides by std, in this order', () => {
    const output = tensor(gray(0, 2, 255), plan({ rescaleFactor: 0.5, mean: [1], std: [4] }));
    expect(floats(output)).toEqual([-0.25, 0, (127.5 - 1) / 4]);
  });

  it('gives each channel its own mean and std, in the order of the output’s channels', () => {
    const some = { mean: [1, 2, 3], std: [1, 2, 4] };
    expect(floats(tensor(colour, plan(some)))).toEqual([0, 3, 0, 1.5, 0, 0.75]);
    expect(floats(tensor(colour, plan({ ...some, channelOrder: 'BGR' })))).toEqual([
      2, 5, 0, 1.5, -0.5, 0.25,
    ]);
  });

  // normalize(rescale(image, 1/255), mean, std) of transformers.image_transforms, and torchvision's
  // Normalize()(to_tensor(image)): the same bits for all 256 pixels. These are those of 0, 128 and 255.
  it('has exactly the bits of NumPy and PyTorch for ImageNet’s mean and std', () => {
    const image: Pixels = {
      data: Uint8Array.of(0, 0, 0, 128, 128, 128, 255, 255, 255),
      width: 3,
      height: 1,
      channels: 3,
    };
    const imageNet = { rescaleFactor: 1 / 255, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };
    expect(floats(tensor(image, plan(imageNet)))).toEqual([
      -2.1179039478302, 0.07406462728977203, 2.248908281326294, -2.0357141494750977, 0.20518219470977783,
      2.4285714626312256, -1.804444432258606, 0.4264925718307495, 2.640000104904175,
    ]);
  });

  it('rounds 1/255 of a pixel once, from double to FP32', () => {
    const all = gray(...Array.from({ length: 256 }, (_, value) => value));
    expect(floats(tensor(all, plan({ rescaleFactor: 1 / 255 })))).toEqual(
      Array.from({ length: 256 }, (_, value) => Math.fround(value / 255)),
    );
  });

  // From 1 on FP16 has steps of 2⁻¹⁰. A pixel p is 1 + p·2⁻¹¹ here: halfway between two of them where p is odd.
  it('rounds halves to even in FP16', () => {
    const some = { datatype: 'FP16', rescaleFactor: 2 ** -11, mean: [-1] } as const;
    expect(halves(gray(0, 1, 2, 3, 4, 5), some)).toEqual(['3c00', '3c00', '3c01', '3c02', '3c02', '3c02']);
  });

  // From 1 on bfloat16 has steps of 2⁻⁷.
  it('rounds halves to even in BF16', () => {
    const some = { datatype: 'BF16', rescaleFactor: 2 ** -8, mean: [-1] } as const;
    expect(halves(gray(0, 1, 2, 3, 4, 5), some)).toEqual(['3f80', '3f80', '3f81', '3f82', '3f82', '3f82']);
  });

  it('keeps the sign, and represents the smallest FP16', () => {
    expect(halves(gray(0, 4), { datatype: 'FP16', mean: [2] })).toEqual(['c000', '4000']);
    expect(halves(gray(0, 4), { datatype: 'BF16', mean: [2] })).toEqual(['c000', '4000']);
    expect(halves(gray(1, 2, 3), { datatype: 'FP16', rescaleFactor: 2 ** -25 })).toEqual([
      '0000',
      '0001',
      '0002',
    ]);
  });

  // 65504 is the largest FP16; 65520 is halfway to what would be the next.
  it('overflows to infinity, as NumPy and PyTorch do', () => {
    expect(halves(gray(1), { datatype: 'FP16', rescaleFactor: 65_519 })).toEqual(['7bff']);
    expect(halves(gray(1), { datatype: 'FP16', rescaleFactor: 65_520 })).toEqual(['7c00']);
    expect(halves(gray(255), { datatype: 'BF16', rescaleFactor: 3.39e38 / 255 })).toEqual(['7f7f']);
    expect(halves(gray(255), { datatype: 'BF16', rescaleFactor: 3.4e38 / 255 })).toEqual(['7f80']);
  });

  it.each([
    ['UINT8', '|u1', 6],
    ['FP16', '<f2', 12],
    ['FP32', '<f4', 24],
  ] as const)('writes %s as .npy of type %s', (datatype, type, bytes) => {
    const output = tensor(colour, plan({ datatype, container: 'npy' }));
    const npy = parseNpy(output.content);
    expect(npy).toMatchObject({ type, order: 'False', shape: [1, 3, 1, 2] });
    expect(npy.start % 64).toBe(0);
    expect(npy.values.length).toBe(bytes);
    expect(new Uint8Array(npy.values)).toEqual(tensor(colour, plan({ datatype })).content);
    expect(output.contentType).toBe('application/x-npy');
  });

  it.each([
    ['UINT8', 'U8', 6],
    ['FP16', 'F16', 12],
    ['FP32', 'F32', 24],
    ['BF16', 'BF16', 12],
  ] as const)('writes %s as safetensors of type %s', (datatype, dtype, bytes) => {
    const output = tensor(colour, plan({ datatype, layout: 'NHWC', container: 'safetensors' }));
    const { start, header, values } = parseSafetensors(output.content);
    expect(header).toEqual({ image: { dtype, shape: [1, 1, 2, 3], data_offsets: [0, bytes] } });
    // The values are aligned for the widest type, as the format requires.
    expect(start % 8).toBe(0);
    expect(values.length).toBe(bytes);
    expect(new Uint8Array(values)).toEqual(tensor(colour, plan({ datatype, layout: 'NHWC' })).content);
    expect(output.contentType).toBe('application/vnd.safetensors');
  });
});
