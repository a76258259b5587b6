import { imageBytes, tensorBytes, valueBytes } from '../../content-bytes.ts';
import type { ImageHeader } from '../codecs/header.ts';
import { sizeUpright } from '../codecs/orient.ts';
import { geometryOf, outputSize } from './geometry.ts';
import { outputFormat, type Plan } from './plan.ts';
import type { Size } from './shortest-edge.ts';

/** Bytes that the content of a response can get: exact for a tensor, apart from its container's header. */
export function outputBytes(header: ImageHeader, plan: Plan): number {
  const source = sizeUpright(header, header.orientation);
  const size = plan.crop ?? outputSize(geometryOf(source, plan.resize));
  const { output } = plan;
  if (output.kind === 'tensor') return tensorBytes(size, plan.grayscale ? 1 : 3, output.datatype);
  const colours = plan.grayscale || header.colour === 'gray' ? 1 : 3;
  const channels = colours + (header.hasAlpha && plan.background === undefined ? 1 : 0);
  return Math.ceil(imageBytes(size, channels, outputFormat(output, header.format), output.quality));
}

/** Bytes of a tensor's values where the plan itself tells its size, without an image; undefined where it doesn't. */
export function valueBytesOfPlan(plan: Plan): number | undefined {
  const { output, crop, grayscale } = plan;
  const size = crop ?? fixedSize(plan);
  if (size === undefined || output.kind !== 'tensor') return undefined;
  return valueBytes(size, grayscale ? 1 : 3, output.datatype);
}

function fixedSize({ resize }: Plan): Size | undefined {
  const isFixed = resize?.fit === 'fill' || resize?.fit === 'cover' || resize?.fit === 'contain';
  return isFixed ? resize : undefined;
}
