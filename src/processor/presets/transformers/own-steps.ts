import type { ResizeFit } from '../../image/resize.ts';
import type { Edges, Size } from '../../image/shortest-edge.ts';
import type { Step } from '../../image/steps.ts';
import type { Resampling } from '../../image/views/view.ts';
import {
  type ConfigSize,
  invalid,
  readEdge,
  readFlag,
  readNumber,
  readPerChannel,
  readSize,
  unsupportedKeys,
} from '../config-values.ts';
import type { PresetLibrary } from '../preset.ts';
import type { PresetPlan } from '../preset-plan.ts';
import type { ConfigValues, OwnTensor } from '../processor-types.ts';
import { bilinear } from './type-values.ts';

/*
 * Parts of the plans of classes that have a `_preprocess` of their own.
 */

/** The resize to a size, if `do_resize`. */
export function resized(config: ConfigValues, resampling: Resampling, sizeOf: () => ResizeFit): Step[] {
  return readFlag(config, 'do_resize') ? [{ kind: 'resize', ...sizeOf(), ...resampling }] : [];
}

/** The crop to `crop_size`, if `do_center_crop`. */
export function cropped(config: ConfigValues, library: PresetLibrary): Step[] {
  if (!readFlag(config, 'do_center_crop')) return [];
  return [{ kind: 'crop', ...fixedSize(config, 'crop_size'), origin: cropOrigin(library) }];
}

/** The rule by which a backend rounds the centre. */
export function cropOrigin(library: PresetLibrary): 'transformers' | 'transformers-torchvision' {
  return library === 'torch' ? 'transformers-torchvision' : 'transformers';
}

/** The size that PilBackend and TorchvisionBackend resize to. */
export function plainSize(config: ConfigValues): ConfigSize {
  return readSize(config, 'size', readFlag(config, 'default_to_square'));
}

/** A size of two sides: a number is a square. */
export function fixedSize(config: ConfigValues, key: string, toSquare = true): Size {
  const size = readSize(config, key, toSquare);
  if (size.fit === 'fill') return { width: size.width, height: size.height };
  throw invalid(key, config[key], 'a number, [height, width] or {height, width}');
}

/** Checks that a class resizes values, not pixels, by bilinear without antialiasing. */
export function checkValuesResize(config: ConfigValues): void {
  if (!readFlag(config, 'do_rescale')) throw invalid('do_rescale', config.do_rescale, 'true');
  if (config.resample !== bilinear) throw invalid('resample', config.resample, '2, which is bilinear');
}

/**
 * The values of a class that calls `rescale` and `normalize` of TorchvisionBackend one after the other, which are fused in
 * its `rescale_and_normalize`.
 */
export function unfusedValues(config: ConfigValues): OwnTensor {
  checkRescale(config);
  const factor = readFlag(config, 'do_rescale') ? readNumber(config, 'rescale_factor') : 1;
  return { rounding: 'stepwise', rescaleFactor: Math.fround(factor) };
}

/** `normalize` of TorchvisionBackend refuses uint8. */
export function checkRescale(config: ConfigValues): void {
  if (!readFlag(config, 'do_normalize') || readFlag(config, 'do_rescale')) return;
  throw invalid('do_rescale', config.do_rescale, 'true, because do_normalize is');
}

/** The side of `size = {"shortest_edge": …}`. Other keys are ignored. */
export function shortestEdge(config: ConfigValues): number {
  const size = plainSize(config);
  if ('shortestEdge' in size) return size.shortestEdge;
  throw invalid('size', config.size, '{shortest_edge}');
}

/** The side of `size = {"longest_edge": …}`. */
export function longestEdge(config: ConfigValues): number {
  return readEdge(config, 'size', 'longest_edge');
}

/** A size by the names of a size rule. */
export function edgesOf(size: ConfigSize): Edges {
  const { fit: _, ...edges } = size;
  return edges;
}

/** The mean as a pixel: `background_color` of transformers. */
export function meanColour(config: ConfigValues, key = 'image_mean'): readonly [number, number, number] {
  if (config[key] === null) return [127, 127, 127];
  // The constructor takes the elements of a list.
  if (!Array.isArray(config[key])) throw invalid(key, config[key], 'three numbers');
  const mean = readPerChannel(config, key);
  const [red, green, blue] = mean.map((value) => Math.trunc(value * 255));
  const values = [red ?? -1, green ?? -1, blue ?? -1] as const;
  if (values.every((value) => value >= 0 && value <= 255)) return values;
  throw invalid(key, config[key], 'three numbers from 0 to 1, because it is the colour of padding');
}

/** Padding with zeros after normalizing: to `pad_size`, or a batch to its largest image. */
export function paddedAfterwards(config: ConfigValues): NonNullable<PresetPlan['tensor']['arrangement']> {
  const canvas = padSize(config);
  return canvas === undefined ? { kind: 'images', isPadded: true } : { kind: 'images', canvas };
}

/** `pad_size`. Unset: it is null. */
export function padSize(config: ConfigValues): Size | undefined {
  return (config.pad_size ?? null) === null ? undefined : fixedSize(config, 'pad_size');
}

/** The padding of {@link paddedAfterwards} with its mask, if the class pads. */
export function paddedWithMask(
  config: ConfigValues,
  pads: boolean,
): Pick<PresetPlan['tensor'], 'arrangement' | 'extras'> {
  if (!pads) return {};
  const canvas = padSize(config);
  return {
    arrangement: paddedAfterwards(config),
    extras: [{ name: 'pixel_mask', kind: 'pixelMask', datatype: 'INT64', ...(canvas && { canvas }) }],
  };
}

/** Refuses keys whose computation is missing, if they are set. */
export function refuse(config: ConfigValues, key: string, why: string): void {
  if (readFlag(config, key)) throw unsupportedKeys([key], why);
}
