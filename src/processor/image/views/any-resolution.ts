import type { Size } from '../shortest-edge.ts';
import type { Step } from '../steps.ts';
import { kernelInWords, sizeInWords } from '../words.ts';
import { tilesOf } from './tiles.ts';
import { type Branch, cropTo, type Resampling, resizeTo, squareOf, type ViewsKind } from './view.ts';

/**
 * LLaVA-NeXT's pictures (image_processing_llava_next.py of transformers): the whole image, resized to one size without
 * keeping its proportions, then the tiles of the image in the best of some resolutions, black around it.
 */
export interface AnyResolutionViews extends Resampling {
  readonly kind: 'anyResolution';
  /** The resolutions to choose from, in pixels. */
  readonly resolutions: readonly Size[];
  /** Size of the whole image. */
  readonly whole: Size;
  /** Side of a tile. The last tiles of a row or column may be smaller. */
  readonly tile: number;
  /** Steps of every picture after it is cut. Empty if they would change none. */
  readonly each: readonly Step[];
}

export const anyResolution: ViewsKind<AnyResolutionViews> = {
  inWords({ resolutions, whole, tile, ...kernel }) {
    const sizes = resolutions.map(sizeInWords).join(', ');
    return `make pictures: the whole image at ${sizeInWords(whole)}, then tiles of ${tile} × ${tile} of the image inside the best of ${sizes}, black around it (${kernelInWords(kernel)})`;
  },
  branches(views, source) {
    const { tile, each } = views;
    const best = bestResolution(source, views.resolutions);
    const padded = paddedInto(best, source, views);
    const whole = { steps: [resizeTo(views.whole, views), ...each] };
    if (each.length === 0) return [whole, { steps: padded, tiles: squareOf(tile) }];
    const cuts = tilesOf(best, squareOf(tile)).map(cropTo);
    return [whole, ...cuts.map((cut): Branch => ({ steps: [...padded, cut, ...each] }))];
  },
};

/**
 * The resolution in which most of the image's pixels fit, then the one with the least waste: `select_best_resolution`
 * (image_processing_utils.py of transformers).
 */
export function bestResolution(source: Size, resolutions: readonly Size[]): Size {
  let best = resolutions[0] as Size;
  let mostPixels = 0;
  let leastWaste = Number.POSITIVE_INFINITY;
  for (const resolution of resolutions) {
    const scale = Math.min(resolution.width / source.width, resolution.height / source.height);
    const scaled = Math.trunc(source.width * scale) * Math.trunc(source.height * scale);
    const pixels = Math.min(scaled, source.width * source.height);
    const waste = resolution.width * resolution.height - pixels;
    if (pixels > mostPixels || (pixels === mostPixels && waste < leastWaste)) {
      best = resolution;
      mostPixels = pixels;
      leastWaste = waste;
    }
  }
  return best;
}

/** The steps that put an image into the middle of a black resolution, as large as it fits. */
export function paddedInto(resolution: Size, source: Size, resampling: Resampling): readonly Step[] {
  const inner = innerSize(source, resolution);
  const left = Math.floor((resolution.width - inner.width) / 2);
  const top = Math.floor((resolution.height - inner.height) / 2);
  return [resizeTo(inner, resampling), { kind: 'pad', ...resolution, left, top, colour: undefined }];
}

/**
 * As large as fits into the target, the other side rounded up: `get_patch_output_size` (image_processing_utils.py of
 * transformers).
 */
function innerSize(source: Size, target: Size): Size {
  const across = target.width / source.width;
  const down = target.height / source.height;
  return across < down
    ? { width: target.width, height: Math.min(Math.ceil(source.height * across), target.height) }
    : { width: Math.min(Math.ceil(source.width * down), target.width), height: target.height };
}
