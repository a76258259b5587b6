import type { Pixels } from '../pixels.ts';
import type { Layout } from '../plan.ts';
import type { Size } from '../shortest-edge.ts';
import type { ChannelTable, Values } from '../value-table.ts';
import type { ArrangementKind } from './arrangement.ts';
import { canvasOf } from './canvas.ts';

/** Pictures of one size, one after another: [pictures, channels, height, width] or [pictures, height, width, channels]. */
export interface ImagesArrangement {
  readonly kind: 'images';
  /** Axes of length 1 before those of the pictures. Unset: none. */
  readonly leadingAxes?: number | undefined;
  /** Length of the pictures' axis: all-zero pictures follow the others. Unset: that of the pictures. */
  readonly count?: number | undefined;
  /**
   * Size that each picture has in the tensor, at its top left; `largest`: the largest width and height. The rest is 0.
   * Unset: the pictures have one size.
   */
  readonly canvas?: Size | 'largest' | undefined;
  /** Whether a batch pads its images to one shape. Unset: they have to have it. */
  readonly isPadded?: boolean | undefined;
}

export const images: ArrangementKind<ImagesArrangement> = {
  shape({ leadingAxes = 0, count, canvas }, pictures, channels, layout) {
    const { width, height } = canvasOf(canvas, pictures);
    const axes = layout === 'NCHW' ? [channels, height, width] : [height, width, channels];
    return [...new Array(leadingAxes).fill(1), count ?? pictures.length, ...axes];
  },
  write({ canvas }, pictures, channels, layout, values) {
    const { width, height } = canvasOf(canvas, pictures);
    for (const [index, picture] of pictures.entries()) {
      const length = width * height * channels.length;
      const part = values.subarray(index * length, (index + 1) * length);
      writePicture(picture, width, channels, layout, part);
    }
  },
  batchRule: ({ isPadded }) => (isPadded ? 'pad' : 'concatenate'),
};

/** @param rowLength - pixels of a row in the tensor */
function writePicture(
  { data, width, height, channels: samples }: Pixels,
  rowLength: number,
  channels: readonly ChannelTable[],
  layout: Layout,
  values: Values,
): void {
  const plane = values.length / channels.length;
  for (const [channel, { sample, table }] of channels.entries()) {
    const [start, step] = layout === 'NCHW' ? [channel * plane, 1] : [channel, channels.length];
    // Rows without a gap are one long row.
    const [rows, columns] = rowLength === width ? [1, width * height] : [height, width];
    for (let row = 0; row < rows; row++) {
      const from = row * columns * samples + sample;
      const end = from + columns * samples;
      for (let pixel = from, at = start + row * rowLength * step; pixel < end; pixel += samples, at += step) {
        values[at] = table[data[pixel] as number] as number;
      }
    }
  }
}
