import { heatColour } from '../compare/difference.ts';
import { type Bitmap, bitmapOf } from '../view/bitmap.ts';
import { fittedInto } from '../view/placement.ts';
import type { Scene, Side } from '../view/scene.ts';

/** The pictures of a comparison. */
interface SkewPictures {
  readonly expected: Bitmap;
  readonly given?: Bitmap | undefined;
  /** The service's map: brighter where the tensors differ more. */
  readonly map?: Bitmap | undefined;
  /** The difference at a pixel of the map, in words. */
  readonly describe?: ((x: number, y: number) => string) | undefined;
}

/** The given picture, the map of the differences and the expected picture, zoomed together. */
export function sceneOfSkew({ expected, given, map, describe = () => '' }: SkewPictures): Scene {
  const { width, height } = expected;
  const placement = { x: 0, y: 0, width, height };
  const sides: Side[] = [];
  // A picture of another size keeps its proportions.
  if (given !== undefined) {
    sides.push({ label: 'Yours', bitmap: given, placement: fittedInto(expected, given) });
  }
  if (map !== undefined) {
    sides.push({
      label: 'Difference',
      bitmap: colouredMap(map),
      placement,
      isLargest: true,
      describe,
    });
  }
  sides.push({ label: 'Expected', bitmap: expected, placement });
  return { width, height, mode: 'sides', sides };
}

function colouredMap({ pixels, width, height }: Bitmap): Bitmap {
  const colours = Array.from({ length: 256 }, (_, level) => heatColour(level / 255));
  const coloured = new Uint8ClampedArray(pixels.length);
  for (let at = 0; at < pixels.length; at += 4) {
    coloured.set([...(colours[pixels[at] ?? 0] ?? [0, 0, 0]), 255], at);
  }
  return bitmapOf(coloured, width, height);
}
