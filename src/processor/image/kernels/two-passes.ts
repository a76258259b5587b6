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

/** The ring of rows between the passes stays below this: a result that needs more is made in upright strips. */
const maxRingBytes = 2 ** 22;

/**
 * The two passes of Pillow's and torch's resize.
 *
 * @param source - [height, width, 1 | 3 | 4] uint8
 * @param verticalFirst - it shows in the result: between the passes is uint8
 * @param premultiplies - weighs colours by alpha where there is alpha
 * @param toLuma - makes luma of an RGB result
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

  // The ring is as wide as the strip, or as what of the source it is made of.
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
