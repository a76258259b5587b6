import type { PixelDatatype } from '../../datatypes.ts';

/** Values of a tensor in the bits of its datatype: UINT8, FP16 and BF16, FP32. */
export type Values = Uint8Array | Uint16Array | Float32Array;

/**
 * The library whose rounding the values have. They differ in the last bit.
 *
 * - `stepwise`: (x × rescaleFactor − mean) / std, each step rounded to FP32, as in NumPy; PilBackend of transformers.
 * - `fused`: (x − mean / rescaleFactor) / (std / rescaleFactor), the terms in parentheses rounded to FP32, if the image
 *   is rescaled and normalized: TorchvisionBackend of transformers (image_processing_backends.py,
 *   `_fuse_mean_std_and_rescale_factor`).
 * - `affine`: x × (rescaleFactor / std) + (−mean / std), the terms in parentheses and each step rounded to FP32:
 *   NormalizeImage of PaddleOCR (paddlex/inference/models/text_detection/processors.py).
 * - `bfloat16`: as `stepwise`, but each step is rounded to bfloat16; Llama4ImageProcessor of transformers.
 * - `resized`: as `stepwise`, but the arrangement resizes the rescaled values before they are normalized, and the factor is
 *   rounded to FP32; DINOv3ViTImageProcessor of transformers.
 * - `resizedStepwise`: as `resized`, but the factor is not rounded; ZoeDepthImageProcessorPil of transformers.
 * - `resizedFused`: as `fused`, but the arrangement resizes the pixels to floats first; PPOCRV5ServerDetImageProcessor of
 *   transformers.
 */
export type Rounding =
  | 'stepwise'
  | 'fused'
  | 'affine'
  | 'bfloat16'
  | 'resized'
  | 'resizedStepwise'
  | 'resizedFused';

/** The part of a tensor's plan that determines the value of a sample. */
export interface ValuePlan {
  readonly datatype: PixelDatatype;
  readonly rescaleFactor: number;
  /** One value, or one per channel. */
  readonly mean: readonly number[];
  /** One value, or one per channel. */
  readonly std: readonly number[];
  readonly rounding?: Rounding | undefined;
  /** Subtracted from the rescaled values before the normalization, if they are rounded `stepwise`. Unset: 0. */
  readonly offset?: number | undefined;
  /** By which the normalized values are divided again: one value, or one per channel. Unset: they are not. */
  readonly secondStd?: readonly number[] | undefined;
  readonly channelOrder: 'RGB' | 'BGR';
}

/** One channel of a tensor. */
export interface ChannelTable {
  /** Index of the picture's sample in a pixel. */
  readonly sample: number;
  /** The results for the sample's 256 values, in the bits of the datatype. */
  readonly table: Values;
  /** The normalization that follows the arrangement's resize. Unset: the table contains normalized values. */
  readonly normalization?: { readonly mean: number; readonly std: number };
}

/**
 * The channels of a tensor in their order. A sample has 256 possible values, so each channel is a table of 256 results,
 * rounded to the datatype half to even.
 *
 * @param channels - of the picture: 1 or 3
 */
export function channelTables(plan: ValuePlan, channels: number): readonly ChannelTable[] {
  return Array.from({ length: channels }, (_, channel) => ({
    sample: plan.channelOrder === 'BGR' && channels === 3 ? channels - 1 - channel : channel,
    table: inDatatype(plan.datatype, valuesOf(plan, channel)),
    ...(plan.rounding?.startsWith('resized') && {
      normalization: normalizationOf(plan, channel),
    }),
  }));
}

/** Of resized values. */
function normalizationOf(plan: ValuePlan, channel: number): { readonly mean: number; readonly std: number } {
  const [mean, std] = [ofChannel(plan.mean, channel) ?? 0, ofChannel(plan.std, channel) ?? 1].map(
    Math.fround,
  );
  const terms = { mean: mean as number, std: std as number };
  return plan.rounding === 'resizedFused' ? fused(terms, plan.rescaleFactor) : terms;
}

/** PyTorch multiplies an FP32 tensor by a number that it rounds to FP32. */
function fused({ mean, std }: { readonly mean: number; readonly std: number }, rescaleFactor: number) {
  const scale = Math.fround(1 / rescaleFactor);
  return { mean: Math.fround(mean * scale), std: Math.fround(std * scale) };
}

function ofChannel(values: readonly number[], channel: number): number | undefined {
  return values[values.length === 1 ? 0 : channel];
}

/**
 * The values that bytes contain. Those of a ZIP file are not aligned: they are written elsewhere, and copied by `close`.
 *
 * @param bytes - all 0
 */
export function valuesOver(
  datatype: PixelDatatype,
  bytes: Uint8Array,
): { readonly values: Values; close(): void } {
  const { buffer, byteOffset, byteLength } = bytes;
  const arrayType = arrayTypes[datatype];
  const length = byteLength / arrayType.BYTES_PER_ELEMENT;
  if (byteOffset % arrayType.BYTES_PER_ELEMENT === 0) {
    return { values: new arrayType(buffer as ArrayBuffer, byteOffset, length), close() {} };
  }
  const values = new arrayType(length);
  return { values, close: () => bytes.set(new Uint8Array(values.buffer)) };
}

const arrayTypes = {
  UINT8: Uint8Array,
  FP16: Uint16Array,
  BF16: Uint16Array,
  FP32: Float32Array,
} as const satisfies Record<PixelDatatype, unknown>;

/** The 256 results of a channel of the tensor. */
function valuesOf(plan: ValuePlan, channel: number): Float32Array {
  if (plan.datatype === 'UINT8') return tableOf((sample) => sample);
  const normalized = normalizedValues(plan, channel);
  if (plan.secondStd === undefined) return normalized;
  const std = Math.fround(ofChannel(plan.secondStd, channel) ?? 1);
  return normalized.map((value) => value / std);
}

function normalizedValues(plan: ValuePlan, channel: number): Float32Array {
  const exactMean = ofChannel(plan.mean, channel) ?? 0;
  const exactStd = ofChannel(plan.std, channel) ?? 1;
  const [mean, std] = [Math.fround(exactMean), Math.fround(exactStd)];
  const { rescaleFactor, offset = 0 } = plan;
  switch (plan.rounding ?? 'stepwise') {
    case 'stepwise':
      return tableOf(
        (sample) => Math.fround(Math.fround(Math.fround(sample * rescaleFactor) - offset) - mean) / std,
      );
    case 'fused': {
      const terms = fused({ mean, std }, rescaleFactor);
      return tableOf((sample) => Math.fround(sample - terms.mean) / terms.std);
    }
    case 'affine': {
      const scale = Math.fround(rescaleFactor / exactStd);
      const shift = Math.fround(-exactMean / exactStd);
      return tableOf((sample) => Math.fround(sample * scale) + shift);
    }
    case 'resized': {
      const factor = Math.fround(rescaleFactor);
      return tableOf((sample) => sample * factor);
    }
    case 'resizedStepwise':
      return tableOf((sample) => sample * rescaleFactor);
    case 'resizedFused':
      return tableOf((sample) => sample);
    case 'bfloat16': {
      const [factor, bfMean, bfStd] = [Math.fround(rescaleFactor), bfloat16(mean), bfloat16(std)];
      return tableOf((sample) => bfloat16(bfloat16(bfloat16(sample * factor) - bfMean) / bfStd));
    }
  }
}

function tableOf(value: (sample: number) => number): Float32Array {
  return Float32Array.from({ length: 256 }, (_, sample) => value(sample));
}

/** Values rounded to a datatype, half to even. */
export function inDatatype(datatype: PixelDatatype, table: Float32Array): Values {
  switch (datatype) {
    case 'UINT8':
      return Uint8Array.from(table);
    case 'FP32':
      return table;
    case 'FP16':
      return new Uint16Array(Float16Array.from(table).buffer);
    case 'BF16':
      return Uint16Array.from(new Uint32Array(table.buffer), toBfloat16);
  }
}

/** The upper half of an FP32, rounded half to even. Overflow gives infinity, as in PyTorch. */
function toBfloat16(bits: number): number {
  return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
}

/** A number rounded to bfloat16. */
function bfloat16(value: number): number {
  const [bits = 0] = new Uint32Array(Float32Array.of(value).buffer);
  return new Float32Array(Uint32Array.of(toBfloat16(bits) << 16).buffer)[0] ?? 0;
}
