interface Size {
  readonly width: number;
  readonly height: number;
}

/** Proportions that differ less are those of rounding to whole pixels. */
const visibleFactor = 1.02;

/**
 * A warning in words if a resize changes the proportions of an image.
 *
 * @param resized - the size of the whole source in the result, in pixels
 */
export function proportionsInWords(source: Size, resized: Size): string | undefined {
  const factor = resized.width / source.width / (resized.height / source.height);
  const most = Math.max(factor, 1 / factor);
  if (most < visibleFactor) return undefined;
  const times = most < 10 ? most.toFixed(most < 2 ? 2 : 1) : String(Math.round(most));
  const sizes = `${source.width} × ${source.height} becomes ${Math.round(resized.width)} × ${Math.round(resized.height)}`;
  return `Stretched ${times} × in ${factor > 1 ? 'width' : 'height'}: ${sizes}.`;
}
