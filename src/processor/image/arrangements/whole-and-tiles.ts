import { areaOf } from '../cutout.ts';
import { resampleWholeAsTorch } from '../kernels/torch-float.ts';
import type { Pixels } from '../pixels.ts';
import type { Size } from '../shortest-edge.ts';
import type { ChannelTable, Values } from '../value-table.ts';
import { squareOf } from '../views/view.ts';
import type { ArrangementKind } from './arrangement.ts';
import { samplesOf } from './channel-samples.ts';

/**
 * The values of one picture resized to a tile, then its tiles: [1, 1 + tiles, channels, tile, tile].
 * Phi4MultimodalImageProcessor of transformers resizes the normalized values, not the pixels, so those of the whole
 * picture are PyTorch's floats.
 */
export interface WholeAndTilesArrangement {
  readonly kind: 'wholeAndTiles';
  /** Side of a tile, in pixels. The picture's sides are multiples of it. */
  readonly tile: number;
}

export const wholeAndTiles: ArrangementKind<WholeAndTilesArrangement> = {
  inWords: ({ tile }) =>
    `the normalized values resized to ${tile} × ${tile} (bicubic), then tiles of that size`,
  shape({ tile }, [picture], channels) {
    const { width, height } = picture as Size;
    return [1, 1 + (width / tile) * (height / tile), channels, tile, tile];
  },
  write({ tile }, [picture], channels, _, values) {
    if (picture === undefined) return;
    writeWhole(picture, tile, channels, values);
    writeTiles(picture, tile, channels, values);
  },
  // A plane of the picture, and sixteen products for each value of the whole picture; measured.
  price: ({ tile }, [picture], channels) => ({
    bytes: areaOf(picture as Size) + 4 * tile * tile,
    time: channels * (areaOf(picture as Size) * 2 + tile * tile * 60),
  }),
  batchRule: () => 'pad',
  computesFloats: true,
};

function writeWhole(picture: Pixels, tile: number, channels: readonly ChannelTable[], values: Values): void {
  const area = tile * tile;
  for (const [index, channel] of channels.entries()) {
    const samples = samplesOf(picture, channel);
    (values as Float32Array).set(
      resampleWholeAsTorch(samples, squareOf(tile), 'bicubic', false).data,
      index * area,
    );
  }
}

function writeTiles(
  { data, width, height, channels: samples }: Pixels,
  tile: number,
  channels: readonly ChannelTable[],
  values: Values,
): void {
  let at = channels.length * tile * tile;
  for (let top = 0; top < height; top += tile) {
    for (let left = 0; left < width; left += tile) {
      for (const { sample, table } of channels) {
        for (let y = top; y < top + tile; y++) {
          let pixel = (y * width + left) * samples + sample;
          for (let x = 0; x < tile; x++, pixel += samples)
            values[at++] = table[data[pixel] as number] as number;
        }
      }
    }
  }
}
