/** For sample 0, 1 and 2 of a pixel: where it is in bytes 0 to 15, 16 to 31 and 32 to 47 of 16 RGB pixels; 255 elsewhere. */
const sampleOrders = memory.data<u8>(
  [
    0, 3, 6, 9, 12, 15, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 2, 5, 8, 11,
    14, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1, 4, 7, 10, 13, 1, 4, 7,
    10, 13, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 0, 3, 6, 9, 12, 15, 255,
    255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 2, 5, 8, 11, 14, 2, 5, 8, 11, 14,
    255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1, 4, 7, 10, 13, 255, 255, 255,
    255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 0, 3, 6, 9, 12, 15,
  ],
  16,
);

/**
 * Square patches of RGB that are side by side, one after another, each as [channel][repeat][row][column].
 *
 * @param source the first patch's first pixel, in rows `stride` bytes apart; up to 47 bytes behind a patch's row are read
 * @param out up to 15 bytes behind its end are overwritten
 * @param side of a patch, in pixels
 * @param sample of channel 0: 0 for RGB, 2 for BGR
 */
export function patchPlanes(
  source: usize,
  stride: usize,
  out: usize,
  side: i32,
  count: i32,
  repeats: i32,
  sample: i32,
): void {
  const plane = <usize>side * side;
  const next: usize = sample == 0 ? 48 : <usize>-48;
  for (let patch = 0; patch < count; patch++) {
    let orders = sampleOrders + <usize>sample * 48;
    for (let channel = 0; channel < 3; channel++) {
      const low = v128.load(orders);
      const middle = v128.load(orders, 16);
      const high = v128.load(orders, 32);
      let from = source;
      for (let row = 0; row < side; row++) {
        for (let column = 0; column < side; column += 16) {
          const pixels = from + <usize>column * 3;
          const samples = v128.or(
            v128.or(i8x16.swizzle(v128.load(pixels), low), i8x16.swizzle(v128.load(pixels, 16), middle)),
            i8x16.swizzle(v128.load(pixels, 32), high),
          );
          v128.store(out + column, samples);
        }
        from += stride;
        out += side;
      }
      for (let repeat = 1; repeat < repeats; repeat++) {
        memory.copy(out, out - plane, plane);
        out += plane;
      }
      orders += next;
    }
    source += <usize>side * 3;
  }
}
