import type { Size } from '../compare/geometry.ts';
import type { Preset } from './preset-list.ts';

/** Classes of transformers that only resize by `size` and crop the centre by `crop_size`. */
const plainClasses = /^(CLIP|ViT|Siglip|DeiT|Bit)ImageProcessor(Fast)?$/;

/**
 * The geometry that a preprocessor_config.json states; undefined for classes with other steps.
 *
 * @param result - the size of the service's result, which tells whether the class crops
 */
export function presetOfConfig(json: string, result: Size): Preset | undefined {
  const { image_processor_type: type, do_resize, size, crop_size } = objectIn(json);
  if (typeof type !== 'string' || !plainClasses.test(type) || do_resize === false) return undefined;
  const resize = resizeOf(size);
  if (resize === undefined) return undefined;
  const crop = sizeIn(crop_size);
  const isCropped = crop !== undefined && crop.width === result.width && crop.height === result.height;
  return { isPlain: true, resize, ...(isCropped && { crop }) };
}

function resizeOf(size: unknown): Preset['resize'] {
  const { shortest_edge: shortestEdge } = asObject(size);
  return typeof shortestEdge === 'number' ? { shortestEdge } : sizeIn(size);
}

function sizeIn(value: unknown): Size | undefined {
  const { width, height } = asObject(value);
  return typeof width === 'number' && typeof height === 'number' ? { width, height } : undefined;
}

function objectIn(json: string): Record<string, unknown> {
  try {
    return asObject(JSON.parse(json));
  } catch {
    return {};
  }
}

function asObject(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
