import type { Samples } from '../kernels/samples.ts';
import type { Pixels } from '../pixels.ts';
import type { ChannelTable } from '../value-table.ts';

/**
 * The samples of one channel, with their values in FP32.
 *
 * @param picture - [height, width, 1 | 3]
 */
export function samplesOf(
  { data, width, height, channels }: Pixels,
  { sample, table }: ChannelTable,
): Samples {
  const values = Float32Array.from(table);
  if (channels === 1) return { pixels: { data, width, height, channels }, values };
  const plane = new Uint8Array(width * height);
  for (let at = sample, to = 0; to < plane.length; at += channels, to++) plane[to] = data[at] as number;
  return { pixels: { data: plane, width, height, channels: 1 }, values };
}
