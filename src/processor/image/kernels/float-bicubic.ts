import type { Size } from '../shortest-edge.ts';

/** Keys' cubic, as PyTorch has it for images that are not antialiased. */
const a = -0.75;

/** The four samples that a value is computed from, and their weights. */
interface Taps {
  readonly indices: Uint32Array;
  readonly weights: Float32Array;
}

/**
 * PyTorch's bicubic interpolation of floats without antialiasing (aten/src/ATen/native/cpu/UpSampleKernel.cpp,
 * HelperInterpCubic). Positions and weights are FP32 as there. Sums are doubles, so results are within an FP32 rounding
 * of PyTorch's.
 *
 * @param read - the value of a pixel
 * @param target - size of the result, in pixels
 * @param write - called for each pixel of the result, row by row
 */
export function bicubic(
  source: Size,
  read: (x: number, y: number) => number,
  target: Size,
  write: (value: number) => void,
): void {
  const across = tapsOf(source.width, target.width);
  const down = tapsOf(source.height, target.height);
  for (let y = 0; y < target.height; y++) {
    for (let x = 0; x < target.width; x++) {
      let sum = 0;
      for (let row = 4 * y; row < 4 * y + 4; row++) {
        const sourceY = down.indices[row] as number;
        let rowSum = 0;
        for (let column = 4 * x; column < 4 * x + 4; column++) {
          rowSum += (across.weights[column] as number) * read(across.indices[column] as number, sourceY);
        }
        sum += (down.weights[row] as number) * rowSum;
      }
      write(sum);
    }
  }
}

function tapsOf(from: number, to: number): Taps {
  const indices = new Uint32Array(4 * to);
  const weights = new Float32Array(4 * to);
  const scale = Math.fround(from / to);
  for (let at = 0; at < to; at++) {
    const position = Math.fround(Math.fround(scale * Math.fround(at + 0.5)) - 0.5);
    const first = Math.floor(position);
    const part = Math.fround(position - first);
    const distances = [part + 1, part, 1 - part, 2 - part];
    for (const [tap, distance] of distances.entries()) {
      indices[4 * at + tap] = Math.min(Math.max(first - 1 + tap, 0), from - 1);
      weights[4 * at + tap] = distance <= 1 ? near(distance) : far(distance);
    }
  }
  return { indices, weights };
}

function near(x: number): number {
  return ((a + 2) * x - (a + 3)) * x * x + 1;
}

function far(x: number): number {
  return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
}
