import type { ProcessResponse } from '../../../gen/image/v1/processor_pb.ts';
import type { Settings } from '../form/settings.ts';
import { knownPreset } from '../presets/known-preset.ts';
import type { ImageSource } from '../source/source.ts';
import { type Bitmap, bitmapOf } from '../view/bitmap.ts';
import type { Scene } from '../view/scene.ts';
import { type Difference, differenceOf, heatColour } from './difference.ts';
import { type Geometry, geometryOf, type Size } from './geometry.ts';
import { type RivalName, rivals } from './rival-names.ts';
import { rivalPixels } from './rival-pixels.ts';

/** The pixels of other code beside the exact ones. */
export interface Comparison {
  readonly rival: RivalName;
  readonly difference: Difference;
  /** That the image is resized to, in pixels. */
  readonly resized: Size;
}

/** The rivals that can be given the same task as the service. */
export function rivalsFor(geometry: Geometry | undefined): readonly RivalName[] {
  return geometry === undefined ? ['fast'] : ['opencv', 'sharp', 'canvas', 'interpolate', 'fast'];
}

/** The geometry of a response, as far as it is a plain resize and a crop. */
export function geometryOfResponse(settings: Settings, response: ProcessResponse): Geometry | undefined {
  const { source } = response;
  if (source === undefined) return undefined;
  const isTurned = source.orientation > 4 && settings.orientation !== 'ignore';
  const [width, height] = isTurned ? [source.height, source.width] : [source.width, source.height];
  const preset = knownPreset(settings, response);
  return geometryOf(settings, preset, { width, height }, response);
}

/**
 * Compares the exact pixels with those of a rival.
 *
 * @param geometry - undefined for a rival that needs none
 * @throws ConnectError, and Error if the browser cannot make the rival's pixels
 */
export async function compare(
  rival: RivalName,
  settings: Settings,
  exact: Bitmap,
  geometry: Geometry | undefined,
  source: ImageSource,
  signal: AbortSignal,
): Promise<{ comparison: Comparison; pixels: Bitmap }> {
  const resized = geometry?.resized ?? exact;
  const task = { settings, source, geometry: geometry ?? { resized } };
  const pixels = await rivalPixels(rival, task, signal);
  const difference = differenceOf(exact.pixels, pixels.pixels);
  return { comparison: { rival, difference, resized }, pixels };
}

/** The pixels of the rival, the exact ones and the difference as a map. */
export function sceneOfComparison(
  { rival, difference }: Comparison,
  { recipe }: Settings,
  exact: Bitmap,
  pixels: Bitmap,
): Scene {
  const { width, height } = exact;
  const placement = { x: 0, y: 0, width, height };
  return {
    width,
    height,
    mode: 'sides',
    sides: [
      { label: rivals[rival].label, bitmap: pixels, placement },
      { label: recipe === 'own' ? 'Exact' : 'Training pixels', bitmap: exact, placement },
      {
        label: 'Difference',
        bitmap: mapOf(difference, width, height),
        placement,
        describe: (x, y) => `${difference.perPixel[y * width + x]}`,
      },
    ],
  };
}

function mapOf({ max, perPixel }: Difference, width: number, height: number): Bitmap {
  const map = new Uint8ClampedArray(4 * width * height);
  const scale = Math.max(1, max);
  const colours = Array.from({ length: 256 }, (_, level) => heatColour(level / scale));
  for (const [pixel, level] of perPixel.entries())
    map.set([...(colours[level] ?? [0, 0, 0]), 255], 4 * pixel);
  return bitmapOf(map, width, height);
}
