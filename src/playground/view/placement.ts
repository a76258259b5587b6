import type { Settings } from '../form/settings.ts';
import type { Preset } from '../presets/preset-list.ts';

/** The position of the whole source in the result, in the result's pixels. Parts of it may be outside. */
export interface Placement {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

interface Size {
  readonly width: number;
  readonly height: number;
}

/**
 * The position at which the source's points coincide with the result's. This is only for display: the service's own
 * geometry rounds to whole pixels.
 *
 * @param source - after EXIF orientation
 * @param preset - the chosen one, if it is known
 */
export function placementOf(
  settings: Settings,
  preset: Preset | undefined,
  source: Size,
  result: Size,
): Placement | undefined {
  if (settings.recipe !== 'own') {
    if (preset === undefined) return undefined;
    return centred(resizedByPreset(preset, source, result), result);
  }
  const crop = settings.crop_width !== '';
  if (settings.sizing === 'source') return centred(crop ? source : result, result);
  if (settings.sizing === 'shortest_edge') {
    return centred(withShortestEdge(source, Number(settings.shortest_edge)), result);
  }
  const box = crop ? { width: Number(settings.width), height: Number(settings.height) } : result;
  switch (settings.fit) {
    case 'cover':
    case 'outside':
      return centred(scaled(source, Math.max(box.width / source.width, box.height / source.height)), result);
    case 'contain':
    case 'inside':
      return centred(scaled(source, Math.min(box.width / source.width, box.height / source.height)), result);
    default:
      return centred(box, result);
  }
}

function resizedByPreset({ resize, crop }: Preset, source: Size, result: Size): Size {
  if (resize === undefined) return source;
  if ('byRule' in resize) return result;
  if ('width' in resize) return resize;
  if ('shortestEdge' in resize) {
    const size = withShortestEdge(source, resize.shortestEdge);
    const longest = Math.max(size.width, size.height);
    const limit = resize.longestEdge ?? longest;
    return crop === undefined && longest > limit ? scaled(size, limit / longest) : size;
  }
  return scaled(source, Math.min(resize.maxWidth / source.width, resize.maxHeight / source.height));
}

/** The largest position in the middle of a box at which a picture keeps its proportions. */
export function fittedInto(box: Size, size: Size): Placement {
  return centred(scaled(size, Math.min(box.width / size.width, box.height / size.height)), box);
}

function withShortestEdge(source: Size, pixels: number): Size {
  return scaled(source, pixels / Math.min(source.width, source.height));
}

function scaled({ width, height }: Size, factor: number): Size {
  return { width: width * factor, height: height * factor };
}

function centred(size: Size, result: Size): Placement {
  return {
    x: (result.width - size.width) / 2,
    y: (result.height - size.height) / 2,
    width: size.width,
    height: size.height,
  };
}
