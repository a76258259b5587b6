import { roundHalfToEven, type Size } from '../shortest-edge.ts';
import type { SizeRuleKind } from './size-rule.ts';

/**
 * The image's own size within limits of its longer side and of its pixels: `get_resize_output_size` of transformers
 * (image_processing_neomme.py).
 */
export interface SideAndAreaRule {
  readonly kind: 'sideAndArea';
  /** Limit of the longer side, in pixels. Unset: none. */
  readonly maxSide?: number | undefined;
  /** Unset: no limits. */
  readonly pixels?: { readonly min: number; readonly max: number } | undefined;
}

export const sideAndArea: SizeRuleKind<SideAndAreaRule> = {
  inWords({ maxSide, pixels }) {
    const limits = [
      ...(maxSide === undefined ? [] : [`a longer side of at most ${maxSide}`]),
      ...(pixels === undefined ? [] : [`${pixels.min} to ${pixels.max} pixels`]),
    ];
    return `to its own size with ${limits.join(' and ') || 'no limits'}`;
  },
  size(rule, source) {
    const { width, height } = source;
    const { min = 0, max = Number.POSITIVE_INFINITY } = rule.pixels ?? {};
    const maxSide = rule.maxSide ?? Number.POSITIVE_INFINITY;
    const area = height * width;
    const scale = Math.min(
      area < min ? Math.sqrt(min / area) : 1,
      maxSide / Math.max(height, width),
      Math.sqrt(max / area),
    );
    if (scale === 1) return source;
    const exceeds = (size: Size) =>
      Math.max(size.width, size.height) > maxSide || size.width * size.height > max;
    const scaled = (round: (length: number) => number) => ({
      width: Math.max(1, round(width * scale)),
      height: Math.max(1, round(height * scale)),
    });
    const rounded = scaled(roundHalfToEven);
    if (exceeds(rounded)) return withinArea(scaled(Math.floor), max);
    if (area >= min || rounded.width * rounded.height >= min) return rounded;
    const ceiled = scaled(Math.ceil);
    return exceeds(ceiled) ? rounded : ceiled;
  },
};

/** Shortens the longer side to the limit of the area. */
function withinArea({ width, height }: Size, max: number): Size {
  if (width * height <= max) return { width, height };
  return height >= width
    ? { width, height: Math.max(1, Math.floor(max / width)) }
    : { width: Math.max(1, Math.floor(max / height)), height };
}
