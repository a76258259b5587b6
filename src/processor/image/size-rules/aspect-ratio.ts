import { Failure } from '../../../failures.ts';
import type { Size } from '../shortest-edge.ts';

/**
 * @param limit - of the longer side ÷ the shorter side
 * @param source - the size to name, if the checked one was computed from it
 * @throws Failure ASPECT_RATIO_OVER_LIMIT
 */
export function checkAspectRatio(size: Size, limit: number, source: Size = size): void {
  const ratio = Math.max(size.width, size.height) / Math.min(size.width, size.height);
  if (ratio <= limit) return;
  const actual = Math.ceil(ratio * 100) / 100;
  const { width, height } = source;
  throw new Failure(
    'ASPECT_RATIO_OVER_LIMIT',
    `The image has ${width} × ${height} pixels, so one side is ${actual} times the other; the limit of the model's processor is ${limit}. Crop or pad the image.`,
    { limit, actual, width, height },
  );
}
