import { roundHalfToEven, type Size } from '../shortest-edge.ts';
import type { SizeRuleKind } from './size-rule.ts';

/**
 * Multiples of 32, close to the image's size: DetResizeForTest.resize_image_type0 of PaddleOCR
 * (paddlex/inference/models/text_detection/processors.py), and PPOCRV5ServerDetImageProcessor.get_image_size of transformers.
 */
export interface TextDetectionRule {
  readonly kind: 'textDetection';
  /** In pixels. An image with a side beyond it is scaled to it. */
  readonly limit: number;
  /** `max`: the longer side is not above the limit. `min`: the shorter one is not below it. `long`: the longer one is it. */
  readonly limitType: 'max' | 'min' | 'long';
  /** Limit of the longer side after that, in pixels. */
  readonly longestSide: number;
}

const multiple = 32;

export const textDetection: SizeRuleKind<TextDetectionRule> = {
  inWords({ limit, limitType, longestSide }) {
    const sides = {
      max: `the longer side to at most ${limit}`,
      min: `the shorter side to at least ${limit}, the longer one to at most ${longestSide}`,
      long: `the longer side to ${limit}`,
    };
    return `${sides[limitType]}, both rounded to multiples of ${multiple}`;
  },
  size({ limit, limitType, longestSide }, source) {
    const { width, height } = source;
    const side = limitType === 'min' ? Math.min(width, height) : Math.max(width, height);
    const isWithin = limitType === 'max' ? side <= limit : limitType === 'min' && side >= limit;
    const scaled = isWithin ? source : truncated(source, limit / side);
    const longer = Math.max(scaled.width, scaled.height);
    const limited = longer <= longestSide ? scaled : truncated(scaled, longestSide / longer);
    return { width: toMultiple(limited.width), height: toMultiple(limited.height) };
  },
};

function truncated({ width, height }: Size, ratio: number): Size {
  return { width: Math.trunc(width * ratio), height: Math.trunc(height * ratio) };
}

function toMultiple(side: number): number {
  return Math.max(multiple, roundHalfToEven(side / multiple) * multiple);
}
