import type { Pixels } from '../../../../src/processor/image/pixels.ts';

/**
 * A picture of noise that test/parity/make_resample_goldens.py can also generate: the high bytes of a linear
 * congruential generator (Numerical Recipes' constants, modulo 2³²).
 *
 * @param pattern - extremes: each byte is 0 or 255, so that sums go beyond 0…255 and alpha is none or full
 */
export function noise(
  width: number,
  height: number,
  channels: Pixels['channels'],
  pattern: 'bytes' | 'extremes' = 'bytes',
): Pixels {
  const data = new Uint8Array(width * height * channels);
  let state = 1;
  for (let i = 0; i < data.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    data[i] = pattern === 'bytes' ? state >>> 24 : (state >>> 31) * 255;
  }
  return { data, width, height, channels };
}
