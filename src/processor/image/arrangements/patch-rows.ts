import type { Size } from '../shortest-edge.ts';
import type { ArrangementKind } from './arrangement.ts';

/**
 * The patches of all pictures, one beside the other: [1, channels, size, pixels / size]. `reshape_by_patch` of
 * MiniCPMV4_6ImageProcessor in transformers (image_processing_minicpmv4_6.py).
 */
export interface PatchRowsArrangement {
  readonly kind: 'patchRows';
  /** Side of a patch, in pixels. The sides of pictures are multiples of it. */
  readonly size: number;
}

export const patchRows: ArrangementKind<PatchRowsArrangement> = {
  inWords: ({ size }) =>
    `patches of ${size} × ${size} pixels row by row, each beside the one before it, [1, channels, ${size}, pixels ÷ ${size}]`,
  shape: ({ size }, pictures, channels) => [1, channels, size, widthOf(pictures, size)],
  write({ size }, pictures, channels, _, values) {
    const total = widthOf(pictures, size);
    let start = 0;
    for (const { data, width, height, channels: samples } of pictures) {
      for (const [channel, { sample, table }] of channels.entries()) {
        for (let row = 0; row < height; row++) {
          // The same rows of all patches follow each other.
          let at = (channel * size + (row % size)) * total + start + Math.floor(row / size) * width;
          let pixel = row * width * samples + sample;
          for (const end = at + width; at < end; at++, pixel += samples) {
            values[at] = table[data[pixel] as number] as number;
          }
        }
      }
      start += (width * height) / size;
    }
  },
  batchRule: () => 'concatenateLast',
};

function widthOf(pictures: readonly Size[], size: number): number {
  return pictures.reduce((sum, { width, height }) => sum + (width * height) / size, 0);
}
