import { resizeOptions } from './combinations.ts';
import { type ImageOptions, type KnownDefaults, presetFormat } from './image-options.ts';

/**
 * The options that are in force: those given, and defaults for the rest where they have an effect.
 *
 * A preset determines all that it does not go with, so the defaults do not count beside it. A size that is given turns
 * `scale` on. Without `height`, `width` is in force by itself, and `fit` is not.
 *
 * @param defaults - those that are known; rules about others do not apply
 */
export function optionsInForce(given: ImageOptions, defaults: KnownDefaults): ImageOptions {
  const numerics = given.numerics ?? defaults.numerics;
  if (isPreset(given)) {
    const format = given.format ?? presetFormat;
    return { ...given, numerics, format, quality: given.quality ?? qualityOf(format, defaults) };
  }
  const format = given.format ?? defaults.format;
  return {
    ...given,
    ...resizeInForce(given, defaults),
    grayscale: given.grayscale ?? defaults.grayscale,
    format,
    quality: given.quality ?? qualityOf(format, defaults),
    numerics,
  };
}

/** Whether a model's preprocessing determines most options. */
export function isPreset({ preset, preprocessor_config }: ImageOptions): boolean {
  return preset !== undefined || preprocessor_config !== undefined;
}

function resizeInForce(given: ImageOptions, defaults: KnownDefaults): ImageOptions {
  const { width, height, shortest_edge } = given;
  const hasResize = resizeOptions.some((name) => given[name] !== undefined);
  const scale = given.scale ?? (hasResize || defaults.scale);
  if (scale !== true) return { scale };
  const filter = given.filter ?? defaults.filter;
  if (shortest_edge !== undefined) return { scale, filter };
  if ((width === undefined) !== (height === undefined)) return { scale, filter, fit: undefined };
  return {
    scale,
    width: width ?? defaults.width,
    height: height ?? defaults.height,
    fit: given.fit ?? defaults.fit,
    filter,
  };
}

/** The default quality, for formats that have one. `source` may be one of them: only the processor knows. */
function qualityOf(format: ImageOptions['format'], defaults: KnownDefaults): number | undefined {
  return format === 'source' || format === 'jpeg' || format === 'webp' ? defaults.quality : undefined;
}
