import { layingOf, orient } from '../../codecs/orient.ts';
import type { Pixels } from '../pixels.ts';
import { resampleInTwoPasses, type TwoPassOptions } from './two-passes.ts';
import { type Axis, horizontalTable, verticalTable } from './weight-tables.ts';

/**
 * Resamples an upright image in two passes. The windows are transformed to the stored orientation and only the result
 * is turned, because turning a photo of six megapixels takes longer than decoding it.
 *
 * @param stored - [height, width, channels] uint8, as stored
 * @param orientation - EXIF's, 1…8
 * @param across - along the rows of the upright image
 * @param down - along its columns
 * @param options - `verticalFirst` as in the upright image
 * @returns [height, width, channels] uint8, upright
 */
export function resampleStored(
  stored: Pixels,
  orientation: number,
  across: Axis,
  down: Axis,
  options: TwoPassOptions,
): Pixels {
  const { isTransposed, fromRight, fromBottom } = layingOf(orientation);
  const horizontal = horizontalTable(fromRight, isTransposed ? down : across);
  const vertical = verticalTable(fromBottom, isTransposed ? across : down);
  const how = { ...options, verticalFirst: options.verticalFirst !== isTransposed };
  const resampled =
    stored.channels === 2
      ? fromRgba(resampleInTwoPasses(toRgba(stored), horizontal, vertical, how))
      : resampleInTwoPasses(stored, horizontal, vertical, how);
  return orient(resampled, orientation);
}

/** Gray and alpha as R = G = B and alpha, which is how Pillow stores LA. */
function toRgba({ data, width, height }: Pixels): Pixels {
  const rgba = new Uint8Array(data.length * 2);
  for (let from = 0, to = 0; from < data.length; from += 2, to += 4) {
    const gray = data[from] as number;
    rgba[to] = gray;
    rgba[to + 1] = gray;
    rgba[to + 2] = gray;
    rgba[to + 3] = data[from + 1] as number;
  }
  return { data: rgba, width, height, channels: 4 };
}

function fromRgba({ data, width, height }: Pixels): Pixels {
  const grayAlpha = new Uint8Array(data.length / 2);
  for (let from = 0, to = 0; from < data.length; from += 4, to += 2) {
    grayAlpha[to] = data[from] as number;
    grayAlpha[to + 1] = data[from + 3] as number;
  }
  return { data: grayAlpha, width, height, channels: 2 };
}
