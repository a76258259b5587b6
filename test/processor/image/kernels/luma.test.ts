import { describe, expect, it } from 'vitest';
import { luma } from '../../../../src/processor/image/kernels/luma.ts';
import { noise } from './noise.ts';

describe(luma, () => {
  it("weighs red, green and blue as Pillow's L mode does", () => {
    const data = Uint8Array.of(255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255, 0, 0, 0, 123, 45, 67);
    expect(luma({ data, width: 6, height: 1, channels: 3 })).toEqual({
      data: Uint8Array.of(76, 150, 29, 255, 0, 71),
      width: 6,
      height: 1,
      channels: 1,
    });
  });

  it.each([
    [1, 1],
    [17, 1],
    [300, 400],
  ])('rounds as the formula does in all of %i × %i pixels', (width, height) => {
    const rgb = noise(width, height, 3);
    const expected = new Uint8Array(width * height);
    for (let i = 0; i < expected.length; i++) {
      const [red = 0, green = 0, blue = 0] = rgb.data.subarray(i * 3);
      expected[i] = (19595 * red + 38470 * green + 7471 * blue + 0x8000) >> 16;
    }
    expect(luma(rgb).data).toEqual(expected);
  });
});
