import type { tensorContainers } from '../../options/image-options.ts';
import type { SourceFormat } from '../codecs/codecs.ts';

/** What is to be done to an image, in plain values; made by rules.ts and understood by every stage here. */
export interface Plan {
  /** Unset: the source's first page or frame. */
  readonly source?: SourcePlan | undefined;
  /** Unset: the size stays. */
  readonly resize: ResizePlan | undefined;
  /** After the resize. Unset: nothing is cut. */
  readonly crop?: CropPlan | undefined;
  readonly grayscale: boolean;
  readonly numerics: 'exact' | 'fast';
  /** sRGB, 0…255 each. */
  readonly background: Colour | undefined;
  /** Alpha is taken away even where the answer's format has it: a model's pixels have none. */
  readonly dropsAlpha?: boolean | undefined;
  readonly output: ImagePlan | TensorPlan;
}

/** Which part of the source is read, and how; image.v1.SourceOptions with its defaults filled in. */
export interface SourcePlan {
  /** Counted from 1. */
  readonly page: number;
  /** Of a document's page. */
  readonly dpi: number;
  readonly pageBox: 'crop' | 'media';
  readonly annotations: boolean;
  /** Empty: none. */
  readonly password: string;
}

export type Colour = readonly [red: number, green: number, blue: number];

/** How large the image gets, all in pixels; geometry.ts says how each is rounded. */
export type ResizePlan = { readonly filter: Filter } & (
  | { readonly fit: Fit; readonly width: number; readonly height: number }
  | { readonly fit: 'width'; readonly width: number }
  | { readonly fit: 'height'; readonly height: number }
  | { readonly fit: 'shortestEdge'; readonly shortestEdge: number; readonly longestEdge?: number }
  | { readonly fit: 'within'; readonly maxWidth: number; readonly maxHeight: number }
);

/** A part of the middle, in pixels; center-crop.ts says whose middle. */
export interface CropPlan {
  readonly width: number;
  readonly height: number;
  readonly origin: CropOrigin;
}

/**
 * Whose centre it is. They all agree where the difference between image and crop is even, and put the odd
 * pixel to one side or the other:
 * - `transformers`: its Pillow backend (image_transforms.center_crop);
 * - `transformers-torchvision`: its torchvision backend, TorchvisionBackend.center_crop;
 * - `torchvision`: transforms.functional.center_crop.
 */
export type CropOrigin = 'transformers' | 'transformers-torchvision' | 'torchvision';

export type Fit = 'fill' | 'cover' | 'contain' | 'inside' | 'outside';
export type Filter = 'nearest' | 'box' | 'bilinear' | 'hamming' | 'bicubic' | 'lanczos';
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
  /** One value or one a channel. */
  readonly mean: readonly number[];
  /** One value or one a channel. */
  readonly std: readonly number[];
  readonly channelOrder: 'RGB' | 'BGR';
  readonly container: (typeof tensorContainers)[number];
}

/** `pixel_values` is the model's input of that name in transformers; without its presets a tensor is an `image`. */
export type TensorName = 'image' | 'pixel_values';

/** The format of the answer: the one asked for, else the source's where it can be written, else PNG. */
export function outputFormat(plan: ImagePlan, source: SourceFormat): OutputFormat {
  if (plan.format !== undefined) return plan.format;
  return source === 'jpeg' || source === 'webp' ? source : 'png';
}
