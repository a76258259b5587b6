import type { Geometry } from '../image/geometry.ts';
import type { Pixels } from '../image/pixels.ts';
import type { Plan } from '../image/plan.ts';
import { decoderOf } from './codecs.ts';
import type { ImageHeader } from './header.ts';
import { resampleFast } from './resample-fast.ts';

/** A decoded image. */
export interface Decoded {
  readonly pixels: Pixels;
  /** EXIF's orientation by which the resize has yet to turn the pixels; 1 where they are upright. */
  readonly orientation: number;
}

/**
 * Decodes an image.
 *
 * @returns [height, width, channels] uint8: 1 for gray, 3 for colour, 4 where there is alpha; it may be in the scratch
 *   memory. In exact numerics the whole source; in fast numerics it is resampled to the geometry already, to only its
 *   cutout or to all of it
 * @throws IMAGE_CORRUPT, OVERLOADED
 */
export async function decode(
  content: Uint8Array,
  header: ImageHeader,
  geometry: Geometry,
  plan: Plan,
): Promise<Decoded> {
  const decoder = await decoderOf(header.format);
  if (plan.numerics === 'exact') {
    return { pixels: await decoder.decode(content, header), orientation: header.orientation };
  }
  if (decoder.decodeFast === undefined || header.dropsSample) {
    const stored = await decoder.decode(content, header);
    return { pixels: resampleFast(stored, header, geometry, plan), orientation: 1 };
  }
  return { pixels: await decoder.decodeFast(content, header, geometry, plan), orientation: 1 };
}
