import type { Size } from '../../image/shortest-edge.ts';
import type { Step } from '../../image/steps.ts';
import type { Resampling } from '../../image/views/view.ts';
import { invalid, readWholeNumber } from '../config-values.ts';
import type { ConfigValues } from '../processor-types.ts';
import { fixedSize, resized } from './own-steps.ts';
import { allButCrop } from './type-values.ts';

/*
 * Values that several of the types with tiles have, and readers for those of their configs.
 */

/** The steps that most of these classes do. */
export const tileSteps = { ...allButCrop, do_convert_rgb: true };

/** The most tiles in a config: all grids are compared for each image. */
const mostTiles = 256;

/** The resize to `size`, if `do_resize`. */
export function resizedToTile(config: ConfigValues, resampling: Resampling): Step[] {
  return resized(config, resampling, () => ({ fit: 'fill', ...fixedSize(config, 'size') }));
}

/** `size`, which has to be a square, in pixels. */
export function readSquareTile(config: ConfigValues): number {
  const { width, height } = fixedSize(config, 'size');
  if (width !== height) throw invalid('size', config.size, 'equal height and width');
  return width;
}

export function readTiles(config: ConfigValues, key: string): number {
  return readWholeNumber(config, key, 1, mostTiles);
}

/** Pairs of height and width. */
export function readResolutions(config: ConfigValues, key: string): readonly Size[] {
  const value = config[key];
  const isSide = (side: unknown) =>
    Number.isInteger(side) && (side as number) > 0 && (side as number) <= 65_535;
  const pairs: readonly unknown[] = Array.isArray(value) ? value : [];
  const isValid = pairs.every((pair) => Array.isArray(pair) && pair.length === 2 && pair.every(isSide));
  if (pairs.length === 0 || pairs.length > mostTiles || !isValid) {
    throw invalid(key, value, `1 to ${mostTiles} pairs of [height, width]`);
  }
  return pairs.map((pair) => {
    const [height, width] = pair as [number, number];
    return { width, height };
  });
}
