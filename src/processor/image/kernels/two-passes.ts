import type { Pixels } from '../pixels.ts';
import { resampleHorizontalFirst } from './horizontal-first.ts';
import { pairsUsed, type TwoPassJob } from './strip.ts';
import { resampleVerticalFirst } from './vertical-first.ts';
import type { HorizontalTable, VerticalTable } from './weight-tables.ts';

export interface TwoPassOptions {
  readonly verticalFirst: boolean;
  readonly premultiplies: boolean;
  readonly toLuma: boolean;
}

/** Limit of the ring of rows between the passes. A result that needs more is computed in vertical strips. */
const maxRingBytes = 2 ** 22;

/**
 * The two passes of Pillow's and torch's resize.
 *
 * @param source - [height, width, 1 | 3 | 4] uint8
 * @param verticalFirst - visible in the result, because values between the passes are rounded to uint8
 * @param premultiplies - weighs colours by alpha if there is alpha
 * @param toLuma - converts an RGB result to luma
 * @returns [height, width, channels] uint8
 */
export function resampleInTwoPasses(
  source: Pixels,
  horizontal: HorizontalTable,
  vertical: VerticalTable,
  { verticalFirst, premultiplies, toLuma }: TwoPassOptions,
): Pixels {
  const width = horizontal.firstPairs.length;
  const height = vertical.firstQuads.length;
  const channels = toLuma ? 1 : source.channels;
  const result: Pixels = { data: new Uint8Array(width * height * channels), width, height, channels };
  const job: TwoPassJob = { source, premultiplies, horizontal, vertical, result };

  // The ring is as wide as the strip, or as the part of the source that the strip needs.
  const [firstPair, endPair] = pairsUsed(horizontal, 0, width);
  const sourceColumns = Math.min(source.width, endPair * 2) - firstPair * 2;
  const ringColumns = verticalFirst ? Math.max(1, sourceColumns / width) : 1;
  const columnBytes = vertical.span * 4 * source.channels * ringColumns;
  const stripColumns = Math.max(1, Math.floor(maxRingBytes / columnBytes));
  const resampleStrip = verticalFirst ? resampleVerticalFirst : resampleHorizontalFirst;
  for (let left = 0; left < width; left += stripColumns) {
    resampleStrip(job, left, Math.min(stripColumns, width - left));
  }
  return result;
}
