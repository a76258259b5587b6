import type { Pixels } from '../../image/pixels.ts';
import { roundHalfToEven } from '../../image/shortest-edge.ts';

/*
 * The formulas by which programs make one level of R, G and B. Those that add in floating point round where their
 * libraries do: white may become 254.
 */

const { fround, trunc, round, max } = Math;

/** A formula of gray. */
export interface Gray {
  /** Unique among the formulas. */
  readonly id: string;
  /** In a report. */
  readonly words: string;
  /** Of uint8. @returns an integer, 0…255 */
  levelOf(red: number, green: number, blue: number): number;
  /** The weights of R, G and B, for values that no step rounds. Unset: the formula has none. */
  readonly weights?: readonly [red: number, green: number, blue: number];
}

const rec601 = [0.299, 0.587, 0.114] as const;
const shortRec601 = [0.2989, 0.587, 0.114] as const;
const rec709 = [0.2125, 0.7154, 0.0721] as const;
const [red32, green32, blue32] = shortRec601.map(fround) as [number, number, number];

/** The most usual first. */
export const grays: readonly Gray[] = [
  {
    id: 'pillow',
    words: "Pillow's L",
    // Convert.c, `L24`.
    levelOf: (red, green, blue) => (19595 * red + 38470 * green + 7471 * blue + 0x8000) >> 16,
    weights: rec601,
  },
  {
    id: 'opencv',
    words: "OpenCV's cvtColor",
    // color_rgb.simd.hpp: 15 fraction bits.
    levelOf: openCv,
  },
  {
    id: 'opencv swapped',
    words: "OpenCV's cvtColor with R and B exchanged",
    levelOf: (red, green, blue) => openCv(blue, green, red),
    weights: [0.114, 0.587, 0.299],
  },
  {
    id: 'torch',
    words: "torchvision's rgb_to_grayscale",
    // Two fused multiply-adds, then truncated.
    levelOf: (red, green, blue) =>
      trunc(fround(fround(fround(red * red32) + green * green32) + blue * blue32)),
    weights: shortRec601,
  },
  {
    id: 'torch v1',
    words: "rgb_to_grayscale of torchvision's transforms v1",
    levelOf: (red, green, blue) =>
      trunc(fround(fround(fround(red * red32) + fround(green * green32)) + fround(blue * blue32))),
  },
  { id: 'tensorflow', words: "TensorFlow's rgb_to_grayscale", levelOf: tensorFlow },
  {
    id: 'skimage',
    words: "scikit-image's rgb2gray, Rec. 709",
    // `img_as_float`, a product with `@`, which begins with green, and `img_as_ubyte`.
    levelOf: (red, green, blue) =>
      roundHalfToEven(
        fusedSum([rec709[1], rec709[0], rec709[2]], green * (1 / 255), red * (1 / 255), blue * (1 / 255)) *
          255,
      ),
    weights: rec709,
  },
  {
    id: 'mean',
    words: 'mean of R, G and B, rounded down',
    levelOf: (red, green, blue) => trunc((red + green + blue) / 3),
    weights: [1 / 3, 1 / 3, 1 / 3],
  },
  {
    id: 'mean rounded',
    words: 'mean of R, G and B, rounded',
    levelOf: (red, green, blue) => round((red + green + blue) / 3),
  },
  {
    id: 'dot',
    words: 'np.dot with 0.299, 0.587, 0.114, rounded down',
    levelOf: (red, green, blue) => trunc(fusedSum(rec601, red, green, blue)),
  },
  {
    id: 'dot 0.2989',
    words: 'np.dot with 0.2989, 0.587, 0.114, rounded down',
    levelOf: (red, green, blue) => trunc(fusedSum(shortRec601, red, green, blue)),
  },
  {
    id: 'sum',
    words: '0.299 R + 0.587 G + 0.114 B, rounded down',
    levelOf: (red, green, blue) => trunc(weighted(rec601, red, green, blue)),
  },
  {
    id: 'sum 0.2989',
    words: '0.2989 R + 0.587 G + 0.114 B, rounded down',
    levelOf: (red, green, blue) => trunc(weighted(shortRec601, red, green, blue)),
  },
  { id: 'red', words: 'R alone', levelOf: (red) => red, weights: [1, 0, 0] },
  { id: 'green', words: 'G alone', levelOf: (_, green) => green, weights: [0, 1, 0] },
  { id: 'blue', words: 'B alone', levelOf: (_, __, blue) => blue, weights: [0, 0, 1] },
  { id: 'value', words: 'largest of R, G and B', levelOf: (red, green, blue) => max(red, green, blue) },
];

function openCv(red: number, green: number, blue: number): number {
  return (9798 * red + 19235 * green + 3735 * blue + (1 << 14)) >> 15;
}

const perLevel = fround(1 / 255);

/** `convert_image_dtype` to FP32, `tensordot`, `convert_image_dtype` to uint8, which multiplies by 255.5 and truncates. */
function tensorFlow(red: number, green: number, blue: number): number {
  const [r, g, b] = [fround(red * perLevel), fround(green * perLevel), fround(blue * perLevel)];
  const sum = fround(fround(fround(r * red32) + g * green32) + b * blue32);
  return trunc(fround(sum * 255.5));
}

function weighted(
  [first, second, third]: readonly number[],
  red: number,
  green: number,
  blue: number,
): number {
  return red * (first as number) + green * (second as number) + blue * (third as number);
}

/** The same with fused multiply-adds, as OpenBLAS computes NumPy's `dot` on CPUs that have them. */
function fusedSum(
  weights: readonly [number, number, number],
  first: number,
  second: number,
  third: number,
): number {
  return multiplyAdd(third, weights[2], multiplyAdd(second, weights[1], first * weights[0]));
}

/** a · b + c, rounded once: the rounding errors of the product and of the sum are added to the sum (Dekker 1971). */
function multiplyAdd(a: number, b: number, c: number): number {
  const product = a * b;
  const [aHigh, bHigh] = [highPart(a), highPart(b)];
  const [aLow, bLow] = [a - aHigh, b - bHigh];
  const productError = aLow * bLow - (product - aHigh * bHigh - aLow * bHigh - aHigh * bLow);
  const sum = product + c;
  const rest = sum - product;
  const sumError = product - (sum - rest) + (c - rest);
  return sum + (productError + sumError);
}

/** The upper 26 bits of a number's 53. */
function highPart(value: number): number {
  const scaled = value * (2 ** 27 + 1);
  return scaled - (scaled - value);
}

/** Levels in row order. */
interface Picture<Data> {
  readonly data: Data;
  readonly width: number;
  readonly height: number;
  readonly channels: Pixels['channels'];
}

/**
 * A picture in gray. Gray counts as R = G = B.
 *
 * @param picture - [height, width, 1 | 3]
 * @returns [height, width, 1]; undefined for fractions if the formula has no weights
 */
export function toGray<Data extends Uint8Array | Float32Array | Float64Array>(
  picture: Picture<Data>,
  { levelOf, weights }: Gray,
): (Omit<Picture<Data>, 'channels'> & { readonly channels: 1 }) | undefined {
  const { data, channels, ...shape } = picture;
  const isWhole = data instanceof Uint8Array;
  if (!isWhole && weights === undefined) return undefined;
  const gray = data.slice(0, shape.width * shape.height) as Data;
  const [second, third] = channels === 1 ? [0, 0] : [1, 2];
  const formula = isWhole ? levelOf : weighted.bind(undefined, weights as readonly number[]);
  for (let from = 0, to = 0; to < gray.length; from += channels, to++) {
    gray[to] = formula(data[from] as number, data[from + second] as number, data[from + third] as number);
  }
  return { ...picture, data: gray, channels: 1 };
}
