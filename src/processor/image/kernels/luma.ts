import type { Pixels } from '../pixels.ts';
import { useKernels } from './wasm.ts';

/** Pixels of three bytes each that fit into the second-level cache. */
const pixelsAtOnce = 2 ** 16;

/**
 * Grayscale by Rec. 601 luma, rounded as Pillow's "L" mode: Y = (19595·R + 38470·G + 7471·B + 2¹⁵) >> 16.
 *
 * @param rgb - [height, width, 3] uint8, sRGB
 * @returns [height, width, 1] uint8, in its own ArrayBuffer
 */
export function luma(rgb: Pixels): Pixels {
  const { data, width, height } = rgb;
  const pixels = width * height;
  const gray = new Uint8Array(pixels);
  useKernels((arena) => {
    const block = arena.take(pixelsAtOnce * 3);
    const { kernels, memory } = arena;
    for (let from = 0; from < pixels; from += pixelsAtOnce) {
      const count = Math.min(pixelsAtOnce, pixels - from);
      memory.set(data.subarray(from * 3, (from + count) * 3), block);
      // The gray bytes overwrite colours that have been read.
      kernels.luma(block, block, count);
      gray.set(memory.subarray(block, block + count), from);
    }
  });
  return { data: gray, width, height, channels: 1 };
}
