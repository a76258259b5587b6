import { cutUpright, wholeOf } from '../image/cutout.ts';
import type { Geometry } from '../image/geometry.ts';
import { resampleUpright } from '../image/kernels/resample.ts';
import type { Pixels } from '../image/pixels.ts';
import type { Plan } from '../image/plan.ts';
import type { ImageHeader } from './header.ts';
import { sizeUpright } from './orient.ts';

/**
 * Resamples a decoded source to the geometry, upright.
 *
 * @param stored - the source or a smaller version of it, as stored
 */
export function resampleFast(
  stored: Pixels,
  header: ImageHeader,
  { width, height, box, cutout }: Geometry,
  plan: Plan,
): Pixels {
  const upright = sizeUpright(header, header.orientation);
  const [left, top, right, bottom] = box ?? [0, 0, upright.width, upright.height];
  if (plan.resize === undefined) {
    return cutUpright(stored, header.orientation, cutout ?? wholeOf(upright));
  }
  // The sides of a smaller version are rounded up: the box keeps its share of each.
  const shrunk = sizeUpright(stored, header.orientation);
  const [across, down] = [shrunk.width / upright.width, shrunk.height / upright.height];
  const part = [
    left * across,
    top * down,
    Math.min(shrunk.width, right * across),
    Math.min(shrunk.height, bottom * down),
  ] as const;
  const target = { width, height, filter: plan.resize.filter, box: part, cutout };
  return resampleUpright(stored, header.orientation, target, false);
}
