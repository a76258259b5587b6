import { describe, expect, test } from 'vitest';
import type { DatatypeName } from '../../../../src/datatypes.ts';
import type { TensorPlan } from '../../../../src/processor/image/plan.ts';
import { readingsOf } from '../../../../src/processor/skew/axes.ts';
import type { GivenTensor, TensorValues } from '../../../../src/processor/skew/given/given-tensor.ts';
import { recover } from '../../../../src/processor/skew/values/recover.ts';
import { referenceOf } from '../../../../src/processor/skew/values/reference.ts';
import { valueMapOf } from '../../../../src/processor/skew/values/value-map.ts';

const { fround, f16round } = Math;

const imageNet = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };
const clip = {
  mean: [0.48145466, 0.4578275, 0.40821073],
  std: [0.26862954, 0.26130258, 0.27577711],
};

const plan: TensorPlan = {
  kind: 'tensor',
  name: 'x',
  datatype: 'FP32',
  layout: 'NCHW',
  rescaleFactor: 1 / 255,
  ...clip,
  channelOrder: 'RGB',
  container: 'raw',
};
const expected = valueMapOf(plan);

const [height, width] = [20, 40];
/** Every level in every channel, [height, width, 3]. */
const levels = Uint8Array.from({ length: height * width * 3 }, (_, index) => {
  const [pixel, channel] = [Math.floor(index / 3), index % 3];
  return (pixel * (6 * channel + 1) + 40 * channel) & 255;
});
const shape = [height, width, 3];
const axesOf = (of: readonly number[]) => readingsOf({ shape: of })[0] as ReturnType<typeof readingsOf>[0];
const identity = { factors: [1], normalizations: [{ mean: [0], std: [1] }] };
const reference = referenceOf(
  { name: '', datatype: 'UINT8', shape, values: levels },
  axesOf(shape),
  identity,
);

/** A tensor of values that are computed from each level. */
function tensorOf(
  value: (level: number, channel: number, index: number) => number,
  datatype: DatatypeName = 'FP32',
  type: new (values: ArrayLike<number>) => TensorValues = Float32Array,
): GivenTensor {
  const values = new type(Array.from(levels, (level, index) => value(level, index % 3, index)));
  return { name: 'x', datatype, shape, values };
}

function recovered(tensor: GivenTensor) {
  return recover(tensor, axesOf(tensor.shape), expected, reference);
}

/** The words of the likeliest value map, and whether the picture is the one that the values were made of. */
function read(tensor: GivenTensor) {
  const [first] = recovered(tensor);
  const { data, distance } = first?.picture ?? { data: [] };
  const isRight = levels.every((level, index) => {
    const own = data[index] as number;
    return distance === undefined ? own === level : distance(own, level, index % 3) === 0;
  });
  const { scale, mean, std, rounding } = first?.valueMap.words ?? {};
  return { scale, mean, std, rounding, isExact: first?.isExact, isRight };
}

const bits = new Uint32Array(1);
const singles = new Float32Array(bits.buffer);

function bfloat16(value: number): number {
  singles[0] = value;
  bits[0] = ((bits[0] as number) + 0x7fff + (((bits[0] as number) >>> 16) & 1)) & 0xffff0000;
  return singles[0];
}

const named = (name: string) => ({ scale: '1/255', mean: name, std: name, isExact: true, isRight: true });
const at = (values: readonly number[], channel: number) => values[channel] as number;

describe('arithmetics of libraries', () => {
  const { mean, std } = imageNet;
  const [m, s] = [(c: number) => at(mean, c), (c: number) => at(std, c)];

  test('torchvision: to_tensor and normalize', () => {
    const tensor = tensorOf((x, c) => fround(fround(fround(x / 255) - fround(m(c))) / fround(s(c))));
    expect(read(tensor)).toEqual({ ...named('ImageNet'), rounding: 'each operation in FP32' });
  });

  test("transformers' fused rescaling", () => {
    const tensor = tensorOf((x, c) => {
      const [fusedMean, fusedStd] = [fround(fround(m(c)) * 255), fround(fround(s(c)) * 255)];
      return fround(fround(x - fusedMean) / fusedStd);
    });
    expect(read(tensor)).toEqual({
      ...named('ImageNet'),
      rounding: 'rescaling and normalization fused, in FP32',
    });
  });

  test('NumPy: FP64 arithmetic, rounded at the end', () => {
    expect(read(tensorOf((x, c) => (x / 255 - m(c)) / s(c)))).toEqual({
      ...named('ImageNet'),
      rounding: 'each operation in FP64',
    });
  });

  test('NumPy: FP64 values', () => {
    const tensor = tensorOf((x, c) => (x / 255 - m(c)) / s(c), 'FP64', Float64Array);
    expect(read(tensor)).toMatchObject({ ...named('ImageNet'), rounding: expect.stringContaining('FP64') });
  });

  test('NumPy: an FP32 image and an FP64 mean', () => {
    const tensor = tensorOf((x, c) => (fround(x / 255) - m(c)) / s(c));
    expect(read(tensor)).toEqual({ ...named('ImageNet'), rounding: 'scaled in FP32, normalized in FP64' });
  });

  test('albumentations', () => {
    const tensor = tensorOf((x, c) => {
      const [levelMean, inverse] = [fround(fround(m(c)) * 255), fround(1 / fround(fround(s(c)) * 255))];
      return fround(fround(x - levelMean) * inverse);
    });
    expect(read(tensor)).toMatchObject({
      ...named('ImageNet'),
      rounding: expect.stringContaining('(x − mean × 255)'),
    });
  });

  test("mmcv's imnormalize", () => {
    const tensor = tensorOf((x, c) => fround(x - fround(m(c) * 255)) * (1 / (s(c) * 255)));
    expect(read(tensor)).toMatchObject({
      ...named('ImageNet'),
      rounding: 'x − mean × 255 in FP32, × 1 / (std × 255) in FP64',
    });
  });

  test("OpenCV's blobFromImage, divided by the std", () => {
    const tensor = tensorOf((x, c) =>
      fround(fround(fround(x - fround(m(c) * 255)) * fround(1 / 255)) / fround(s(c))),
    );
    expect(read(tensor)).toMatchObject({
      ...named('ImageNet'),
      rounding: 'mean subtracted from levels, then scaled by a factor of FP32',
    });
  });

  test('PaddleOCR: one product and one sum', () => {
    const tensor = tensorOf((x, c) => fround(fround(x * fround(1 / 255 / s(c))) + fround(-m(c) / s(c))));
    expect(read(tensor)).toMatchObject({
      ...named('ImageNet'),
      rounding: 'one product and one sum, in FP32',
    });
  });

  test("Keras's mode tf is a mean and a std of 0.5", () => {
    expect(read(tensorOf((x) => fround(fround(x / 127.5) - 1)))).toEqual({
      ...named('0.5'),
      rounding: 'each operation in FP32',
    });
  });

  test("Keras's mode caffe", () => {
    const tensor = tensorOf((x, c) => fround(x - fround(at([103.939, 116.779, 123.68], c))));
    expect(read(tensor)).toMatchObject({
      scale: '1',
      mean: 'Caffe in BGR order',
      std: 'none',
      isExact: true,
    });
  });

  test('quantized to int8 by a zero point', () => {
    expect(read(tensorOf((x) => x - 128, 'INT8', Int8Array))).toMatchObject({
      scale: '1',
      mean: '128',
      std: 'none',
      isExact: true,
      isRight: true,
    });
  });

  test.each([
    ['UINT8', Uint8Array],
    ['INT32', Int32Array],
    ['INT64', Float64Array],
    ['FP32', Float32Array],
  ] as const)('levels as %s are not scaled', (datatype, type) => {
    expect(read(tensorOf((x) => x, datatype, type))).toMatchObject({
      scale: '1',
      mean: 'none',
      std: 'none',
      isExact: true,
      isRight: true,
    });
  });

  test('values that were rounded to FP16, and are FP32', () => {
    const tensor = tensorOf((x, c) =>
      f16round(fround(fround(fround(x / 255) - fround(m(c))) / fround(s(c)))),
    );
    expect(read(tensor)).toMatchObject({
      ...named('ImageNet'),
      rounding: 'each operation in FP32, then rounded to FP16',
    });
  });

  test('values that were rounded to BF16, and are FP32', () => {
    const tensor = tensorOf((x, c) =>
      bfloat16(fround(fround(fround(x / 255) - fround(m(c))) / fround(s(c)))),
    );
    expect(read(tensor)).toMatchObject({
      ...named('ImageNet'),
      rounding: 'each operation in FP32, then rounded to BF16',
    });
  });

  test('arithmetic in FP16', () => {
    const half = (value: number) => f16round(fround(value));
    const tensor = tensorOf((x, c) => half(half(half(x / 255) - half(m(c))) / half(s(c))), 'FP16');
    expect(read(tensor)).toMatchObject({ ...named('ImageNet'), rounding: 'each operation in FP16' });
  });

  test('levels that BF16 cannot tell apart are compared as one', () => {
    const tensor = tensorOf((x, c) => bfloat16(fround(fround(x - fround(m(c))) / fround(s(c)))), 'BF16');
    expect(read(tensor)).toMatchObject({ ...named('ImageNet'), scale: '1' });
    const distance = recovered(tensor)[0]?.picture.distance;
    // 253 and 254 give 1103 and 1107, where BF16 has every eighth number.
    expect([253, 254, 255].map((level) => distance?.(253, level, 0))).toEqual([0, 0, 2]);
  });
});

describe('mistakes', () => {
  const stepwise =
    (mean: readonly number[], std: readonly number[], scale = 255) =>
    (x: number, c: number) =>
      fround(fround(fround(x / scale) - fround(at(mean, c))) / fround(at(std, c)));
  const ones = [1, 1, 1];
  const zeros = [0, 0, 0];
  const { mean, std } = imageNet;
  const times255 = (values: readonly number[]) => values.map((value) => value * 255);

  test.each([
    ['only the mean', stepwise(mean, ones), { mean: 'ImageNet', std: 'none' }],
    ['only the std', stepwise(zeros, std), { mean: 'none', std: 'ImageNet' }],
    [
      'mean and std exchanged',
      stepwise(std, mean),
      { mean: 'the std of ImageNet', std: 'the mean of ImageNet' },
    ],
    [
      'in the order BGR',
      stepwise(mean.toReversed(), std.toReversed()),
      { mean: 'ImageNet in BGR order', std: 'ImageNet in BGR order' },
    ],
    ['another mean', stepwise(mean, clip.std), { mean: 'ImageNet', std: 'CLIP' }],
    ['no normalization', stepwise(zeros, ones), { mean: 'none', std: 'none' }],
    ['scale forgotten', stepwise(mean, std, 1), { scale: '1', mean: 'ImageNet', std: 'ImageNet' }],
    ['1/256', stepwise(mean, std, 256), { scale: '1/256', mean: 'ImageNet', std: 'ImageNet' }],
    [
      'mean of levels on scaled values',
      stepwise(times255(mean), times255(std)),
      { mean: 'ImageNet × 255', std: 'ImageNet × 255' },
    ],
    [
      'mean of levels on levels',
      stepwise(times255(mean), times255(std), 1),
      { mean: 'ImageNet', std: 'ImageNet' },
    ],
    ['x / 128 − 1', (x: number) => fround(fround(x / 128) - 1), { scale: '1', mean: '128', std: '128' }],
    [
      '(x − 127.5) / 128',
      (x: number) => fround((x - 127.5) / 128),
      { scale: '1', mean: '127.5', std: '128' },
    ],
    [
      'normalized twice',
      (x: number, c: number) =>
        fround(fround(stepwise(mean, std)(x, c) - fround(at(mean, c))) / fround(at(std, c))),
      { mean: 'ImageNet twice', std: 'ImageNet twice' },
    ],
    [
      'scaled twice',
      (x: number, c: number) => stepwise(mean, std)(fround(x / 255), c),
      { scale: '1/255 twice', mean: 'ImageNet', std: 'ImageNet' },
    ],
  ] as const)('%s', (_, value, words) => {
    expect(read(tensorOf(value))).toMatchObject({ scale: '1/255', isExact: true, isRight: true, ...words });
  });

  test("the preset's own unnamed numbers are tried in every role, and keep their words", () => {
    const own = { mean: [0.41, 0.42, 0.43], std: [0.31, 0.32, 0.33] };
    const unnamed = valueMapOf({ ...plan, ...own });
    const tensor = tensorOf(stepwise(own.std, own.mean));
    const [first] = recover(tensor, axesOf(shape), unnamed, reference);
    expect(first?.valueMap.words).toMatchObject({ mean: '0.31, 0.32, 0.33', std: '0.41, 0.42, 0.43' });
    expect(unnamed.words).toMatchObject({ mean: '0.41, 0.42, 0.43', std: '0.31, 0.32, 0.33' });
  });
});

describe('values that no table contains', () => {
  const { mean, std } = imageNet;
  const normal = (x: number, c: number) => (x / 255 - at(mean, c)) / at(std, c);

  test('with a little noise, the pixels are certain and the rounding is unknown', () => {
    // A part of a level; the pattern repeats so that the values stay few.
    const few = tensorOf((x, c) => normal(x + 0.01 * ((x % 3) - 1), c));
    const many = tensorOf((x, c, index) => normal(x + 0.001 * ((index % 11) - 5), c));
    for (const tensor of [few, many]) {
      expect(read(tensor)).toMatchObject({
        mean: 'ImageNet',
        std: 'ImageNet',
        rounding: 'unknown, in FP32',
        isExact: false,
        isRight: true,
      });
    }
  });

  test('an unknown scale and offset are estimated from the distance of the values', () => {
    expect(read(tensorOf((x) => x * 0.01712 - 2.1179))).toMatchObject({
      scale: 'x × 0.01712 − 2.1179',
      rounding: 'unknown',
      isExact: false,
      isRight: true,
    });
    expect(read(tensorOf((x, c) => x * at([0.011, 0.012, 0.013], c) + 0.5)).scale).toBe(
      'x × 0.011 + 0.5; x × 0.012 + 0.5; x × 0.013 + 0.5',
    );
  });

  test('a scale that is from the picture itself is named', () => {
    const dark = levels.map((level) => 20 + (level >> 1));
    const tensor = (value: (level: number, channel: number) => number) => ({
      ...tensorOf(() => 0),
      values: Float32Array.from(dark, (level, index) => value(level, index % 3)),
    });
    const scaleOf = (given: GivenTensor) => recovered(given)[0]?.valueMap.words.scale;
    const momentsOf = (of: Uint8Array) => {
      const mean = of.reduce((sum, level) => sum + level, 0) / of.length;
      return { mean, std: Math.sqrt(of.reduce((sum, level) => sum + (level - mean) ** 2, 0) / of.length) };
    };
    const whole = momentsOf(dark);
    expect(scaleOf(tensor((x) => (x - whole.mean) / whole.std))).toMatch(/by the mean and std of/);
    const least = dark.reduce((one, other) => Math.min(one, other));
    const most = dark.reduce((one, other) => Math.max(one, other));
    expect(scaleOf(tensor((x) => (x - least) / (most - least)))).toMatch(
      /^x × .*, by the least and largest value of the picture$/,
    );
  });

  test('the offset of an unknown scale is that of the expected picture', () => {
    const narrow = levels.map((level) => 40 + (level >> 1));
    const values = Float32Array.from(narrow, (level) => level * 0.02 - 1);
    const ownReference = referenceOf(
      { name: '', datatype: 'UINT8', shape, values: narrow },
      axesOf(shape),
      identity,
    );
    const [first] = recover(
      { name: 'x', datatype: 'FP32', shape, values },
      axesOf(shape),
      expected,
      ownReference,
    );
    expect(first?.valueMap.words.scale).toBe('x × 0.02 − 1');
    expect([...(first?.picture.data ?? [])]).toEqual([...narrow]);
  });

  test('fractions are read by the rule with the moments of the expected picture, and proved', () => {
    const fractions = Float32Array.from(levels, (level, index) =>
      fround(level + ((index * 37) % 101) / 103 - 0.5),
    );
    const stepwise = (x: number, c: number) =>
      fround(fround(fround(x / 255) - fround(at(mean, c))) / fround(at(std, c)));
    const tensor = tensorOf((_, c, index) => stepwise(fractions[index] as number, c));
    const [first] = recovered(tensor);
    expect(first?.valueMap.words).toMatchObject({ scale: '1/255', mean: 'ImageNet', std: 'ImageNet' });
    expect(first?.isExact).toBe(false);
    const picture = { data: fractions, width, height, channels: 3 } as const;
    const worst = Math.max(
      ...fractions.map((level, index) =>
        (first?.picture.distance ?? (() => 1))(first?.picture.data[index] as number, level, index % 3),
      ),
    );
    expect(worst).toBe(0);
    expect(first?.prove?.(picture)?.words.rounding).toBe('each operation in FP32');
    // Divided by 255 before it was resized.
    const unit = { ...picture, data: fractions.map((level) => level / 255), white: 1 } as const;
    const unitTensor = tensorOf((_, c, index) =>
      fround(fround((unit.data[index] as number) - fround(at(mean, c))) / fround(at(std, c))),
    );
    expect(recovered(unitTensor)[0]?.prove?.(unit)?.words).toMatchObject({
      scale: '1/255',
      rounding: 'each operation in FP32',
    });
    const other = fractions.slice();
    other[17] = (other[17] as number) + 0.01;
    expect(first?.prove?.({ ...picture, data: other })).toBeUndefined();
  });
});

describe('zeros after the normalization', () => {
  const { mean, std } = imageNet;
  const padded = (isPadding: (x: number, y: number) => boolean) =>
    tensorOf((level, c, index) => {
      const pixel = Math.floor(index / 3);
      if (isPadding(pixel % width, Math.floor(pixel / width))) return 0;
      return fround(fround(fround(level / 255) - fround(at(mean, c))) / fround(at(std, c)));
    });

  test('around the picture are its padding, which is read as black', () => {
    const [first] = recovered(padded((x, y) => x >= 30 || y < 2));
    expect(first).toMatchObject({
      isExact: true,
      valueMap: { words: { mean: 'ImageNet', pad: 'zeros after the normalization' } },
    });
    const right = levels.map((level, index) => {
      const pixel = Math.floor(index / 3);
      return pixel % width >= 30 || pixel < 2 * width ? 0 : level;
    });
    expect([...(first?.picture.data ?? [])]).toEqual([...right]);
  });

  test('within the picture are not', () => {
    expect(recovered(padded((x, y) => x === 5 && y === 5)).some(({ isExact }) => isExact)).toBe(false);
  });
});

describe('a fourth channel', () => {
  const withAlpha = (alpha: number): GivenTensor => {
    const values = new Float32Array(height * width * 4);
    for (let pixel = 0; pixel < height * width; pixel++) {
      for (let c = 0; c < 3; c++) values[pixel * 4 + c] = fround((levels[pixel * 3 + c] as number) / 255);
      values[pixel * 4 + 3] = alpha;
    }
    return { name: 'x', datatype: 'FP32', shape: [height, width, 4], values };
  };

  test('opaque alpha is explained', () => {
    expect(read(withAlpha(1))).toMatchObject({ scale: '1/255', isExact: true, isRight: true });
  });

  test('another alpha is not', () => {
    expect(read(withAlpha(0.5))).toMatchObject({ scale: '1/255', isExact: false, isRight: true });
  });
});

test('a grayscale tensor has the value for the first channel', () => {
  const values = Float32Array.from({ length: 256 }, (_, x) =>
    fround(fround(fround(x / 255) - fround(0.5)) / 0.5),
  );
  const tensor: GivenTensor = { name: 'x', datatype: 'FP32', shape: [16, 16], values };
  const [first] = recover(tensor, axesOf([16, 16]), expected, undefined);
  expect(first).toMatchObject({ isExact: true, valueMap: { words: { mean: '0.5', std: '0.5' } } });
  expect([...(first?.picture.data ?? [])]).toEqual(Array.from({ length: 256 }, (_, x) => x));
});
