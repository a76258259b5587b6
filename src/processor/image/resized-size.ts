import type { ResizeFit } from './resize.ts';
import {
  roundHalfToEven,
  type Size,
  shortestAndLongestEdgeSize,
  shortestEdgeSize,
  withinSize,
} from './shortest-edge.ts';
import { kindOfSizeRule } from './size-rules/size-rules.ts';

/** The size to resample to, in pixels, and the part of the source that is resampled. */
export interface ResizedSize extends Size {
  /** In source pixels, with fractions. Unset: the whole source. */
  readonly box?: readonly [left: number, top: number, right: number, bottom: number];
}

/**
 * The size that a resize gives an image, as in Pillow's ImageOps: fill is `Image.resize`, cover `ImageOps.fit`, inside
 * `ImageOps.contain` and outside `ImageOps.cover`, with the same rounding. If only one side is given, the other one is
 * in proportion, rounded half to even. A side has at least one pixel (Pillow would return an empty image).
 *
 * @param source - size after EXIF orientation, in pixels
 */
export function resizedSize(source: Size, step: ResizeFit): ResizedSize {
  switch (step.fit) {
    case 'within':
      return withinSize(source, step.maxWidth, step.maxHeight);
    case 'shortestEdge':
      return step.longestEdge === undefined
        ? shortestEdgeSize(source, step.shortestEdge)
        : shortestAndLongestEdgeSize(source, step.shortestEdge, step.longestEdge);
    case 'width':
      return { width: step.width, height: inProportion(source.height, step.width, source.width) };
    case 'height':
      return { width: inProportion(source.width, step.height, source.height), height: step.height };
    case 'fill':
      return { width: step.width, height: step.height };
    case 'inside':
    case 'outside':
      return proportionalSize(source, step, step.fit);
    case 'cover':
      return coveringSize(source, step);
    case 'rule':
      return kindOfSizeRule(step.rule).size(step.rule, source);
  }
}

/** length × to ÷ from, rounded to whole pixels, at least 1. The product is exact, so only the quotient is rounded. */
function inProportion(length: number, to: number, from: number): number {
  return Math.max(1, roundHalfToEven((length * to) / from));
}

/** ImageOps.contain and ImageOps.cover: the side that differs from the target is rounded half to even, as in Python. */
function proportionalSize(source: Size, target: Size, fit: 'inside' | 'outside'): Size {
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

function coveringSize(source: Size, { width, height }: Size): ResizedSize {
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
