import type { Settings } from '../form/settings.ts';
import type { Preset } from '../presets/preset-list.ts';

/*
 * The size to which an image is resized and the place at which it is cropped, so that other libraries can be given the
 * same task. The rounding is that of image-processor: a test compares the two.
 */

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** A plain resize, and a crop of its result. In pixels. */
export interface Geometry {
  readonly resized: Size;
  readonly crop?: { readonly left: number; readonly top: number } & Size;
}

/**
 * The geometry of some settings; undefined if it is not a plain resize, such as one with bars.
 *
 * @param preset - the one of the settings, if it is known
 * @param source - after EXIF orientation
 * @param result - the size of the service's result
 */
export function geometryOf(
  settings: Settings,
  preset: Preset | undefined,
  source: Size,
  result: Size,
): Geometry | undefined {
  const geometry =
    settings.recipe === 'own'
      ? ownGeometry(settings, source, result)
      : preset && presetGeometry(preset, source, result);
  if (geometry === undefined) return undefined;
  const made = geometry.crop ?? geometry.resized;
  return made.width === result.width && made.height === result.height ? geometry : undefined;
}

function presetGeometry({ resize, crop, isPlain }: Preset, source: Size, result: Size): Geometry | undefined {
  if (isPlain !== true || resize === undefined) return undefined;
  if (crop === undefined) return { resized: result };
  const resized = resizedByPreset(resize, source);
  return resized && cropped(resized, crop, crop.rounds === 'half to even');
}

function resizedByPreset(resize: NonNullable<Preset['resize']>, source: Size): Size | undefined {
  if ('width' in resize) return { width: resize.width, height: resize.height };
  if (!('shortestEdge' in resize) || resize.longestEdge !== undefined) return undefined;
  return withShortestEdge(source, resize.shortestEdge);
}

function ownGeometry(settings: Settings, source: Size, result: Size): Geometry | undefined {
  const { sizing, fit } = settings;
  const size = { width: Number(settings.crop_width), height: Number(settings.crop_height) };
  const hasCrop = settings.crop_width !== '';
  if (sizing === 'source') return undefined;
  if (sizing === 'box' && (fit === 'cover' || fit === 'contain')) return undefined;
  if (!hasCrop) return { resized: result };
  if (sizing === 'shortest_edge') {
    return cropped(withShortestEdge(source, Number(settings.shortest_edge)), size, true);
  }
  if (fit !== 'fill') return undefined;
  return cropped({ width: Number(settings.width), height: Number(settings.height) }, size, true);
}

function cropped(resized: Size, crop: Size, isHalfToEven: boolean): Geometry | undefined {
  if (crop.width > resized.width || crop.height > resized.height) return undefined;
  const start = (surplus: number) => (isHalfToEven ? roundHalfToEven(surplus / 2) : Math.floor(surplus / 2));
  const left = start(resized.width - crop.width);
  const top = start(resized.height - crop.height);
  return { resized, crop: { left, top, width: crop.width, height: crop.height } };
}

/** torchvision's Resize(n): the longer side is rounded down. */
function withShortestEdge({ width, height }: Size, edge: number): Size {
  return width <= height
    ? { width: edge, height: Math.trunc((edge * height) / width) }
    : { width: Math.trunc((edge * width) / height), height: edge };
}

/** Python's round(), for numbers of at least 0. */
function roundHalfToEven(value: number): number {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}
