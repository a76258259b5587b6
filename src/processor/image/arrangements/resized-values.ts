import { Failure } from '../../../failures.ts';
import { areaOf } from '../cutout.ts';
import { resampleBlurred } from '../kernels/float-blur.ts';
import { checkIntermediate } from '../kernels/resample.ts';
import type { Samples } from '../kernels/samples.ts';
import { resampleWholeAsTorch, type TorchFloatFilter } from '../kernels/torch-float.ts';
import { checkFits } from '../pad-to.ts';
import type { ResizeFit } from '../resize.ts';
import { fitInWords } from '../resize-words.ts';
import { resizedSize } from '../resized-size.ts';
import type { Size } from '../shortest-edge.ts';
import type { ChannelTable } from '../value-table.ts';
import { edgesInWords } from '../words.ts';
import type { ArrangementKind } from './arrangement.ts';
import { type Canvas, canvasInWords, canvasOf } from './canvas.ts';
import { samplesOf } from './channel-samples.ts';

/** Values of a channel between the two passes, which are in memory together: 64 MiB. */
const maxIntermediateValues = 2 ** 24;

/**
 * Nanoseconds of CPU for a sample of the source, for a value of the result without antialiasing, and for a tap of a window
 * with it; measured from 4000 × 3000 to 224 × 224 and 1333 × 800, and from 100 × 100 to 1500 × 1500 pixels.
 */
const [sampleTime, interpolationTime, tapTime] = [2, 30, 6];

/** Samples of the larger size that a window covers for each sample of the smaller size it is made of. */
const windowSamples: Readonly<Record<TorchFloatFilter | 'blur', number>> = {
  bilinear: 2,
  bicubic: 4,
  blur: 4,
};

/** The size that values are resized to, in pixels: that of a resize of pixels, or as torchvision's detection computes it. */
export type ValuesSize = ResizeFit | { readonly shortestEdge: number; readonly longestEdge: number };

/**
 * The values of one picture, resized, then zeros at the right and bottom: [1, channels, height, width].
 * GeneralizedRCNNTransform of torchvision (models/detection/transform.py) and DINOv3ViTImageProcessor of transformers
 * resize values, not pixels, so these are floats: PyTorch's, to the last bit, except for those of `blur`.
 */
export interface ResizedValuesArrangement {
  readonly kind: 'resizedValues';
  readonly size: ValuesSize;
  /** Size of the tensor, to which a batch is padded too. Unset: that of the resized values. */
  readonly canvas?: Canvas | undefined;
  /**
   * The filter of an antialiased resize; `blur`: that of Owlv2ImageProcessor, a Gaussian blur before bilinear. Unset:
   * `plain` without antialiasing.
   */
  readonly antialias?: TorchFloatFilter | 'blur' | undefined;
  /** The filter without antialiasing. Unset: bilinear, as in detection. */
  readonly plain?: TorchFloatFilter | undefined;
  /** Whether the outermost values stay where they are, without antialiasing: align_corners of PyTorch. */
  readonly alignsCorners?: true | undefined;
  /** The least side of the result that the library takes, in pixels. Unset: 1. */
  readonly leastSide?: number | undefined;
  /** Resized values beyond 0 and this are cut to them. Unset: none are. */
  readonly limit?: number | undefined;
}

export const resizedValues: ArrangementKind<ResizedValuesArrangement> = {
  inWords({ size, canvas, antialias, plain, alignsCorners, limit }) {
    const target = 'fit' in size ? fitInWords(size) : `resize ${edgesInWords(size)}`;
    const zeros =
      canvas === undefined ? '' : `, zeros at the right and bottom up to ${canvasInWords(canvas)}`;
    const cut = limit === undefined ? '' : `, cut to 0 to ${limit}`;
    return `the values after ${target} (${filterInWords(antialias, plain)}${alignsCorners ? ', corners aligned' : ''})${cut}${zeros}`;
  },
  shape({ size, canvas }, [picture], channels, layout) {
    const { width, height } = canvasOf(canvas, [valuesSize(size, picture as Size)]);
    return layout === 'NCHW' ? [1, channels, height, width] : [1, height, width, channels];
  },
  write(arrangement, [picture], channels, layout, values) {
    const { size, canvas: padded, limit } = arrangement;
    if (picture === undefined) return;
    const target = valuesSize(size, picture);
    const canvas = canvasOf(padded, [target]);
    for (const [index, channel] of channels.entries()) {
      const [start, step] =
        layout === 'NCHW' ? [index * canvas.width * canvas.height, 1] : [index, channels.length];
      const resized = resizedSamples(samplesOf(picture, channel), target, arrangement);
      const value = normalizing(channel, limit);
      for (let y = 0, from = 0; y < target.height; y++) {
        let at = start + y * canvas.width * step;
        for (let x = 0; x < target.width; x++, at += step) values[at] = value(resized[from++] as number);
      }
    }
  },
  check({ size, canvas, leastSide = 1, ...filters }, [picture]) {
    const source = picture as Size;
    const target = valuesSize(size, source);
    const { width, height } = target;
    if (width < leastSide || height < leastSide) {
      throw new Failure(
        'PRESET_UNSUPPORTED',
        `The preset reduces this image to ${width} × ${height} pixels; both sides need at least ${leastSide}. Send a wider or taller one.`,
        { width, height },
      );
    }
    if (typeof canvas === 'object' && 'width' in canvas) checkFits(target, canvas);
    checkIntermediate(source, target, rowsOf(filters, source, target) * width, maxIntermediateValues);
  },
  price({ size, ...filters }, [picture], channels) {
    const source = picture as Size;
    const target = valuesSize(size, source);
    const planeTime = areaOf(source) * sampleTime;
    const bytes = areaOf(source) + 4 * (areaOf(target) + rowsOf(filters, source, target) * target.width);
    const { antialias: filter, plain = 'bilinear' } = filters;
    if (filter === undefined) {
      return {
        bytes,
        time: channels * (planeTime + areaOf(target) * interpolationTime * (windowSamples[plain] / 2)),
      };
    }
    // A window of a reduced axis covers its samples, that of an enlarged one a few of them.
    const across = source.height * Math.max(source.width, target.width);
    const down = target.width * Math.max(source.height, target.height);
    const taps = windowSamples[filter] * (across + down);
    return { bytes, time: channels * (planeTime + taps * tapTime) };
  },
  batchRule: ({ canvas }) => (canvas === undefined ? 'concatenate' : 'pad'),
  computesFloats: true,
};

type Filters = Pick<ResizedValuesArrangement, 'antialias' | 'plain' | 'alignsCorners'>;

/** Rows between the two passes that are in memory together: those of one window, or all if they are blurred. */
function rowsOf({ antialias: filter, plain = 'bilinear' }: Filters, source: Size, target: Size): number {
  if (filter === 'blur') return source.height;
  const reduction = filter === undefined ? 1 : Math.max(1, source.height / target.height);
  return Math.min(source.height, Math.ceil(windowSamples[filter ?? plain] * reduction) + 2);
}

function filterInWords(
  filter: ResizedValuesArrangement['antialias'],
  plain: TorchFloatFilter = 'bilinear',
): string {
  if (filter === undefined) return plain;
  return filter === 'blur' ? 'bilinear after a Gaussian blur' : `${filter}, antialiased`;
}

/** @param samples - of one channel */
function resizedSamples(
  samples: Samples,
  target: Size,
  { antialias: filter, plain = 'bilinear', alignsCorners }: Filters,
): ArrayLike<number> {
  if (filter === 'blur') return resampleBlurred(samples, target);
  return resampleWholeAsTorch(samples, target, filter ?? plain, filter !== undefined, alignsCorners).data;
}

function normalizing({ normalization }: ChannelTable, limit: number | undefined): (value: number) => number {
  const { mean, std } = normalization ?? { mean: 0, std: 1 };
  if (limit === undefined) return (value) => Math.fround(value - mean) / std;
  const most = Math.fround(limit);
  return (value) => Math.fround(Math.min(Math.max(value, 0), most) - mean) / std;
}

/** In detection `_resize_image_and_masks` of transform.py, and `interpolate` with recompute_scale_factor. */
export function valuesSize(size: ValuesSize, source: Size): Size {
  if ('fit' in size) return resizedSize(source, size);
  const sides = [source.width, source.height];
  const scale = Math.min(size.shortestEdge / Math.min(...sides), size.longestEdge / Math.max(...sides));
  return { width: Math.trunc(source.width * scale), height: Math.trunc(source.height * scale) };
}
