import type { CentreRule } from '../../image/crop.ts';
import type { Size } from '../../image/shortest-edge.ts';
import type { Step } from '../../image/steps.ts';
import { type Resampling, resizeTo } from '../../image/views/view.ts';
import { invalid, readFlag, readSize, readWholeNumber } from '../config-values.ts';
import type { ConfigValues } from '../processor-types.ts';

/*
 * Values that several of the types with tiles have, and readers for those of their configs.
 */

/** PIL.Image.Resampling. */
export const [lanczos, bilinear, bicubic] = [1, 2, 3];

export const clipValues = {
  image_mean: [0.48145466, 0.4578275, 0.40821073],
  image_std: [0.26862954, 0.26130258, 0.27577711],
};
export const halfValues = { image_mean: [0.5, 0.5, 0.5], image_std: [0.5, 0.5, 0.5] };
export const common = { do_convert_rgb: true, do_rescale: true, do_normalize: true };
export const resized = { ...common, do_resize: true };

/** The most tiles in a config: all grids are compared for each image. */
const mostTiles = 256;

export function readTile(config: ConfigValues): Size {
  const size = readSize(config, 'size', true);
  if (size.fit !== 'fill') throw invalid('size', config.size, '{height, width}');
  return { width: size.width, height: size.height };
}

/** The resize to `size` if the config asks for it. */
export function resizeToTile(config: ConfigValues, resampling: Resampling): readonly Step[] {
  return readFlag(config, 'do_resize') ? [resizeTo(readTile(config), resampling)] : [];
}

export function readSquareTile(config: ConfigValues): number {
  const { width, height } = readTile(config);
  if (width !== height) throw invalid('size', config.size, 'equal height and width');
  return width;
}

export function readTiles(config: ConfigValues, key: string): number {
  return readWholeNumber(config, key, 1, mostTiles);
}

export function readEdge(config: ConfigValues, key: string): number {
  const value = config[key];
  const edges = typeof value === 'object' && value !== null ? (value as ConfigValues) : {};
  if (Object.keys(edges).join() !== 'longest_edge') throw invalid(key, value, '{longest_edge}');
  return readWholeNumber(edges, 'longest_edge', 1, 65_535);
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

/** The backend's rule for the centre. */
export function cropOriginOf({ library }: Resampling): CentreRule {
  return library === 'torch' ? 'transformers-torchvision' : 'transformers';
}
