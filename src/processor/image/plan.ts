import type { PixelDatatype } from '../../datatypes.ts';
import type { tensorContainers } from '../../options/image-options.ts';
import type { SourceFormat } from '../codecs/source-format.ts';
import type { Arrangement } from './arrangements/arrangements.ts';
import type { ExtraTensor } from './extras/extras.ts';
import type { Library } from './kernels/kernels.ts';
import type { Colour } from './pixels.ts';
import type { Step } from './steps.ts';
import type { TokenRule } from './tokens.ts';
import type { Rounding } from './value-table.ts';
import type { Views } from './views/views.ts';
import type { VllmPlan } from './vllm-plan.ts';

/**
 * The processing of an image in plain values: equal plans give equal outputs. src/processor/rules derives it from a
 * request; geometry.ts computes every size from it and an image's header.
 */
export interface Plan {
  /** Unset: the source's first page or frame. */
  readonly source?: SourcePlan | undefined;
  /**
   * The library whose pixels these are, to the last bit; `fast` is the arithmetic of libvips with its shrinking decoders.
   */
  readonly numerics: 'pillow' | Library | 'fast';
  readonly alpha: AlphaPlan;
  /** `ignore`: the pixels are those of Pillow's `Image.open`. Unset: the image is turned upright. */
  readonly orientation?: 'ignore' | undefined;
  /** In the order in which they run. */
  readonly steps: readonly Step[];
  /** Makes several pictures of the source instead of `steps`, which are empty then. Unset: the steps make one. */
  readonly views?: Views | undefined;
  /** Heights of a source that the model's own processor takes for a number of channels. Unset: none. */
  readonly unreadableHeights?: readonly number[] | undefined;
  readonly output: ImagePlan | TensorPlan;
  /** Decisions that were made before any source was known, as `subject=decision`. Unset: none. */
  readonly decisions?: readonly string[] | undefined;
}

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
  /** Name of the tensor that contains the pixels, in the response and in containers that have names. */
  readonly name: string;
  readonly datatype: PixelDatatype;
  readonly layout: Layout;
  readonly rescaleFactor: number;
  /** One value, or one per channel. */
  readonly mean: readonly number[];
  /** One value, or one per channel. */
  readonly std: readonly number[];
  /** How the values are rounded. Unset: `stepwise`. */
  readonly rounding?: Rounding | undefined;
  /** As in ValuePlan. */
  readonly offset?: number | undefined;
  /** As in ValuePlan. */
  readonly secondStd?: readonly number[] | undefined;
  readonly channelOrder: 'RGB' | 'BGR';
  /** A tensor of the pictures after the first one; `name` has only that one then. Unset: all pictures are there. */
  readonly rest?: RestTensor | undefined;
  /** How the pictures become one tensor. Unset: one picture after another, along the first axis. */
  readonly arrangement?: Arrangement | undefined;
  /** Small tensors beside the pixels: masks, grids, sizes. Unset: none. */
  readonly extras?: readonly ExtraTensor[] | undefined;
  /** How the model counts an image's tokens. Unset: it does not, or the count is not computed. */
  readonly tokens?: TokenRule | undefined;
  /** The item of vLLM. Unset: the tensors are in another container. */
  readonly vllm?: VllmPlan | undefined;
  readonly container: Exclude<(typeof tensorContainers)[number], 'auto'>;
}

/** The tensor of an image's other pictures, which are arranged as the first one. An image of one picture has none. */
export interface RestTensor {
  readonly name: string;
  /** One value, or one per channel. Unset: that of the first picture. */
  readonly mean?: readonly number[];
  /** One value, or one per channel. Unset: that of the first picture. */
  readonly std?: readonly number[];
}

export type Layout = 'NCHW' | 'NHWC';

/** The format of an image output: the requested one, else the source's if it can be written, else PNG. */
export function outputFormat(plan: ImagePlan, source: SourceFormat): OutputFormat {
  if (plan.format !== undefined) return plan.format;
  return source === 'jpeg' || source === 'webp' ? source : 'png';
}

/** Whether the output has one channel. */
export function isGrayscale({ steps }: Plan): boolean {
  return steps.some(({ kind }) => kind === 'grayscale');
}

/**
 * The header of an image as a plan counts it: without its orientation if the plan ignores that. The orientation of a TIFF
 * counts in any case, because Pillow turns a TIFF when it loads it (TiffImagePlugin.py, `load_end`).
 */
export function headerOf<Header extends { readonly orientation: number; readonly format: SourceFormat }>(
  header: Header,
  { orientation }: Plan,
): Header {
  return orientation === 'ignore' && header.format !== 'tiff' ? { ...header, orientation: 1 } : header;
}
