import { Failure } from '../../failures.ts';
import { imageOptions } from '../../options/image-options.ts';
import { invalidOption } from '../../options/invalid-option.ts';

/**
 * Checks a size that a request asks for.
 *
 * @param maxOutputPixels - limit of width × height
 * @param prefix - of the options' names
 * @throws OPTION_INVALID, OUTPUT_PIXELS_OVER_LIMIT
 */
export function checkRequestedSize(
  width: number,
  height: number,
  maxOutputPixels: number,
  prefix = '',
): void {
  checkRequestedSide(`${prefix}width`, width);
  checkRequestedSide(`${prefix}height`, height);
  if (width * height <= maxOutputPixels) return;
  throw new Failure(
    'OUTPUT_PIXELS_OVER_LIMIT',
    `${width} × ${height} = ${width * height} pixels were requested; the limit is ${maxOutputPixels}.`,
    { limit: maxOutputPixels, actual: width * height, width, height },
  );
}

/** @throws OPTION_INVALID */
export function checkRequestedSide(option: string, pixels: number): void {
  const { min, max } = imageOptions.width.kind;
  if (pixels >= min && pixels <= max) return;
  throw invalidOption(option, pixels, `${min} to ${max} pixels`);
}
