import type { Pixels } from '../pixels.ts';
import type { Size } from '../shortest-edge.ts';

/**
 * Copies selected rows and columns of an image.
 *
 * @param source - [height, width, channels] uint8
 * @param columns - the source column for each column of the result
 * @param rows - the source row for each row of the result
 * @param size - of the result. Pixels outside of `columns` and `rows` are 0
 * @returns [height, width, channels] uint8, in an ArrayBuffer of its own
 */
export function pickPixels(source: Pixels, columns: Int32Array, rows: Int32Array, size: Size): Pixels {
  const { data, channels } = source;
  const result = new Uint8Array(size.width * size.height * channels);
  const rowBytes = size.width * channels;
  for (let y = 0; y < rows.length; y++) {
    const row = rows[y] as number;
    if (row === rows[y - 1]) {
      result.copyWithin(y * rowBytes, (y - 1) * rowBytes, y * rowBytes);
      continue;
    }
    const rowStart = row * source.width * channels;
    let to = y * rowBytes;
    for (const column of columns) {
      const from = rowStart + column * channels;
      for (let channel = 0; channel < channels; channel++) result[to++] = data[from + channel] as number;
    }
  }
  return { data: result, width: size.width, height: size.height, channels };
}
