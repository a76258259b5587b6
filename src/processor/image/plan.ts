/** What is to be done to an image, in plain values; made by rules.ts and understood by every stage here. */
export interface Plan {
  /** Unset: the size stays. */
  readonly resize: ResizePlan | undefined;
  readonly grayscale: boolean;
  readonly numerics: 'exact' | 'fast';
  /** sRGB, 0…255 each. */
  readonly background: Colour | undefined;
  readonly output: ImagePlan | TensorPlan;
}

export type Colour = readonly [red: number, green: number, blue: number];

export interface ResizePlan {
  /** Pixels. */
  readonly width: number;
  /** Pixels. */
  readonly height: number;
  readonly fit: Fit;
  readonly filter: Filter;
}

export type Fit = 'fill' | 'cover' | 'contain' | 'inside' | 'outside';
export type Filter = 'nearest' | 'box' | 'bilinear' | 'hamming' | 'bicubic' | 'lanczos';
export type SourceFormat = 'jpeg' | 'png' | 'webp' | 'avif' | 'gif' | 'tiff';
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
  readonly datatype: 'UINT8' | 'FP16' | 'FP32' | 'BF16';
  readonly layout: 'NCHW' | 'NHWC';
  readonly rescaleFactor: number;
  /** One value or one a channel. */
  readonly mean: readonly number[];
  /** One value or one a channel. */
  readonly std: readonly number[];
  readonly channelOrder: 'RGB' | 'BGR';
  readonly container: 'raw' | 'npy' | 'safetensors';
}

/** The format of the answer: the one asked for, else the source's where it can be written, else PNG. */
export function outputFormat(plan: ImagePlan, source: SourceFormat): OutputFormat {
  if (plan.format !== undefined) return plan.format;
  return source === 'jpeg' || source === 'webp' ? source : 'png';
}
