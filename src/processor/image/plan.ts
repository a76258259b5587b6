import type { tensorContainers } from '../../options/image-options.ts';
import type { SourceFormat } from '../codecs/codecs.ts';
import type { Step } from './steps.ts';

/**
 * The processing of an image in plain values: equal plans give equal outputs. src/processor/rules derives it from a
 * request; geometry.ts computes every size from it and an image's header.
 */
export interface Plan {
  /** Unset: the source's first page or frame. */
  readonly source?: SourcePlan | undefined;
  /**
   * The arithmetic that computes the pixels: `exact` is Pillow's, `fast` that of libvips with its shrinking decoders.
   */
  readonly numerics: 'exact' | Library | 'fast';
  readonly alpha: AlphaPlan;
  /** In the order in which they run. */
  readonly steps: readonly Step[];
  readonly output: ImagePlan | TensorPlan;
}

/** The libraries besides Pillow whose arithmetic is reproduced to the last bit. */
export type Library = 'torch' | 'opencv';

/** The part of the source that is read, and how: image.v1.SourceOptions with its defaults filled in. */
export interface SourcePlan {
  /** Counted from 1. */
  readonly page: number;
  /** Resolution of a document's page. */
  readonly dpi: number;
  readonly pageBox: 'crop' | 'media';
  readonly annotations: boolean;
  /** Empty: no password. */
  readonly password: string;
}

/**
 * The treatment of a source's transparency.
 *
 * - `kept`: an image output in a format with alpha keeps it; it is dropped for all others.
 * - `dropped`: the colours stay as stored, as in Pillow's `convert("RGB")`.
 * - a colour: the image is drawn over this colour.
 */
export type AlphaPlan = 'kept' | 'dropped' | Colour;

/** sRGB, 0…255 each. */
export type Colour = readonly [red: number, green: number, blue: number];

export type OutputFormat = 'jpeg' | 'png' | 'webp';

export interface ImagePlan {
  readonly kind: 'image';
  /** Unset: the source's. */
  readonly format: OutputFormat | undefined;
  /** 1…100; unset: the format's default. */
  readonly quality: number | undefined;
}

export interface TensorPlan {
  readonly kind: 'tensor';
  /** The tensor's name in the response and in containers that have names. */
  readonly name: TensorName;
  readonly datatype: 'UINT8' | 'FP16' | 'FP32' | 'BF16';
  readonly layout: 'NCHW' | 'NHWC';
  readonly rescaleFactor: number;
  /** One value, or one per channel. */
  readonly mean: readonly number[];
  /** One value, or one per channel. */
  readonly std: readonly number[];
  readonly channelOrder: 'RGB' | 'BGR';
  readonly container: (typeof tensorContainers)[number];
}

/** Names of tensors. `pixel_values` is a model's input in transformers; without a preset a tensor is an `image`. */
export type TensorName = 'image' | 'pixel_values';

/** The format of an image output: the requested one, else the source's if it can be written, else PNG. */
export function outputFormat(plan: ImagePlan, source: SourceFormat): OutputFormat {
  if (plan.format !== undefined) return plan.format;
  return source === 'jpeg' || source === 'webp' ? source : 'png';
}

/** Whether the output has one channel. */
export function isGrayscale({ steps }: Plan): boolean {
  return steps.some(({ kind }) => kind === 'grayscale');
}
