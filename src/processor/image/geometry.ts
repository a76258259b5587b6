import { cutoutOf } from './center-crop.ts';
import { type Cutout, sizeOfCutout } from './cutout.ts';
import type { CropPlan, Plan, ResizePlan } from './plan.ts';
import {
  roundHalfToEven,
  type Size,
  shortestAndLongestEdgeSize,
  shortestEdgeSize,
  withinSize,
} from './shortest-edge.ts';

/** Where an image goes: what part of it is resampled to which size, and where that lies on the canvas. */
export interface Geometry {
  /** Size to resample to, in pixels. */
  readonly width: number;
  readonly height: number;
  /** Part of the source that is resampled, in source pixels, fractions included. Unset: all of it. */
  readonly box?: readonly [left: number, top: number, right: number, bottom: number];
  /** The canvas that the resampled image is laid on. Unset: it is the canvas. */
  readonly canvas?: {
    readonly width: number;
    readonly height: number;
    readonly left: number;
    readonly top: number;
  };
  /** What of the resampled image a crop keeps, in its pixels. Unset: all of it, or there is a canvas to make. */
  readonly cutout?: Cutout;
}

/**
 * Where Pillow's ImageOps puts an image: fill is `Image.resize`, cover `ImageOps.fit`, contain
 * `ImageOps.pad`, inside `ImageOps.contain` and outside `ImageOps.cover`, rounded as they round.
 * With one side given alone the other one is in proportion, rounded half to even. A side never gets smaller than one pixel (Pillow gives an empty image there).
 *
 * @param source - size after EXIF orientation, in pixels
 * @param plan - unset: the size stays
 * @param crop - unset: nothing is cut
 */
export function geometryOf(source: Size, plan: ResizePlan | undefined, crop?: CropPlan): Geometry {
  const place = placeOf(source, plan);
  if (crop === undefined || place.canvas !== undefined) return place;
  return { ...place, cutout: cutoutOf(place, crop) };
}

function placeOf(source: Size, plan: ResizePlan | undefined): Geometry {
  if (plan === undefined) return source;
  if (plan.fit === 'within') return withinSize(source, plan.maxWidth, plan.maxHeight);
  if (plan.fit === 'shortestEdge') {
    const { shortestEdge, longestEdge } = plan;
    return longestEdge === undefined
      ? shortestEdgeSize(source, shortestEdge)
      : shortestAndLongestEdgeSize(source, shortestEdge, longestEdge);
  }
  if (plan.fit === 'width') {
    return { width: plan.width, height: share(source.height, plan.width, source.width) };
  }
  if (plan.fit === 'height') {
    return { width: share(source.width, plan.height, source.height), height: plan.height };
  }
  const { width, height } = plan;
  switch (plan.fit) {
    case 'fill':
      return { width, height };
    case 'inside':
      return proportional(source, plan, 'inside');
    case 'outside':
      return proportional(source, plan, 'outside');
    case 'contain': {
      const inner = proportional(source, plan, 'inside');
      if (inner.width === width && inner.height === height) return inner;
      const [left, top] =
        inner.width === width
          ? [0, roundHalfToEven((height - inner.height) * 0.5)]
          : [roundHalfToEven((width - inner.width) * 0.5), 0];
      return { ...inner, canvas: { width, height, left, top } };
    }
    case 'cover': {
      const sourceRatio = source.width / source.height;
      const ratio = width / height;
      let cropWidth = source.width;
      let cropHeight = source.height;
      if (sourceRatio > ratio) cropWidth = ratio * source.height;
      else if (sourceRatio < ratio) cropHeight = source.width / ratio;
      const left = (source.width - cropWidth) * 0.5;
      const top = (source.height - cropHeight) * 0.5;
      return { width, height, box: [left, top, left + cropWidth, top + cropHeight] };
    }
  }
}

/** length × to ÷ from, in whole pixels, at least 1. The product is exact, so the rounding half to even is that of the ratio. */
function share(length: number, to: number, from: number): number {
  return Math.max(1, roundHalfToEven((length * to) / from));
}

/** Size of the answer before it is cropped, in pixels. */
export function outputSize(geometry: Geometry): Size {
  return geometry.canvas ?? geometry;
}

/**
 * Size of what is made before it is cropped, in pixels: no more than the crop keeps, but fast numerics may leave the
 * resize to libvips, which makes all of it.
 */
export function madeSize(geometry: Geometry, { numerics, resize }: Plan): Size {
  const isWhole = geometry.cutout === undefined || (numerics === 'fast' && resize !== undefined);
  return isWhole ? outputSize(geometry) : sizeOfCutout(geometry.cutout);
}

/** ImageOps.contain and ImageOps.cover: the side that gives way is rounded half to even, as Python does. */
function proportional(
  source: { width: number; height: number },
  target: { width: number; height: number },
  fit: 'inside' | 'outside',
): { width: number; height: number } {
  const sourceRatio = source.width / source.height;
  const ratio = target.width / target.height;
  if (sourceRatio === ratio) return { width: target.width, height: target.height };
  if (sourceRatio > ratio === (fit === 'inside')) {
    const height = roundHalfToEven((source.height / source.width) * target.width);
    return { width: target.width, height: Math.max(1, height) };
  }
  const width = roundHalfToEven((source.width / source.height) * target.height);
  return { width: Math.max(1, width), height: target.height };
}
