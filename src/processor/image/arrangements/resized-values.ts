import { Failure } from '../../../failures.ts';
import { areaOf } from '../cutout.ts';
import { type AntialiasFilter, antialiasedWindows, resampleFloats } from '../kernels/float-antialias.ts';
import { bilinear } from '../kernels/float-bilinear.ts';
import { blurredWindows, unblurredWindows } from '../kernels/float-blur.ts';
import { checkIntermediate } from '../kernels/resample.ts';
import type { Size } from '../shortest-edge.ts';
import { sizeInWords } from '../words.ts';
import type { ArrangementKind } from './arrangement.ts';

/** Values of a channel between the two passes, which are in memory together: 64 MiB. */
const maxIntermediateValues = 2 ** 24;

/**
 * Nanoseconds of CPU for a value of the result without antialiasing, and for a tap of a window with it; measured from
 * 4000 × 3000 to 224 × 224 and 1333 × 800, and from 100 × 100 to 1500 × 1500 pixels.
 */
const [interpolationTime, tapTime] = [20, 7];

/** Samples of the larger size that a window covers for each sample of the smaller size it is made of. */
const windowSamples: Readonly<Record<AntialiasFilter | 'blur', number>> = {
  bilinear: 2,
  bicubic: 4,
  blur: 4,
};

/** The size that values are resized to, in pixels: a fixed one, or one that keeps the proportions as detection does. */
export type DetectionSize = Size | { readonly shortestEdge: number; readonly longestEdge: number };

/**
 * The values of one picture, resized, then zeros at the right and bottom up to multiples: [1, channels, height, width].
 * GeneralizedRCNNTransform of torchvision (models/detection/transform.py) and DINOv3ViTImageProcessor of transformers
 * resize values, not pixels, so these are floats, within 10⁻⁶ of PyTorch's.
 */
export interface ResizedValuesArrangement {
  readonly kind: 'resizedValues';
  readonly size: DetectionSize;
  readonly multipleOf: number;
  /**
   * The filter of an antialiased resize; `blur`: that of Owlv2ImageProcessor, a Gaussian blur before bilinear. Unset:
   * bilinear without antialiasing, as in detection.
   */
  readonly antialias?: AntialiasFilter | 'blur' | undefined;
}

export const resizedValues: ArrangementKind<ResizedValuesArrangement> = {
  inWords({ size, multipleOf, antialias: filter }) {
    const target =
      'width' in size
        ? sizeInWords(size)
        : `a shorter side of ${size.shortestEdge}, a longer one of at most ${size.longestEdge}`;
    const zeros = multipleOf === 1 ? '' : `, zeros at the right and bottom up to multiples of ${multipleOf}`;
    return `the normalized values resized to ${target} (${filterInWords(filter)})${zeros}`;
  },
  shape({ size, multipleOf }, [picture], channels, layout) {
    const { width, height } = canvasOf(detectionSize(size, picture as Size), multipleOf);
    return layout === 'NCHW' ? [1, channels, height, width] : [1, height, width, channels];
  },
  write({ size, multipleOf, antialias: filter }, [picture], channels, layout, values) {
    if (picture === undefined) return;
    const { data, width, channels: samples } = picture;
    const target = detectionSize(size, picture);
    const canvas = canvasOf(target, multipleOf);
    const windows = filter === undefined ? undefined : windowsFor(filter, picture, target);
    for (const [channel, { sample, table }] of channels.entries()) {
      const read = (x: number, y: number) =>
        table[data[(y * width + x) * samples + sample] as number] as number;
      const [start, step] =
        layout === 'NCHW' ? [channel * canvas.width * canvas.height, 1] : [channel, channels.length];
      const write = (value: number, x: number, y: number) => {
        values[start + (y * canvas.width + x) * step] = value;
      };
      if (windows === undefined) bilinear(picture, read, target, write);
      else resampleFloats(picture, read, target, windows, write);
    }
  },
  check({ size, antialias: filter }, [picture]) {
    const source = picture as Size;
    const target = detectionSize(size, source);
    const { width, height } = target;
    if (width < 1 || height < 1) {
      throw new Failure(
        'PRESET_UNSUPPORTED',
        `The preset reduces this image to ${width} × ${height} pixels, so it has none. Send a wider or taller one.`,
        { width, height },
      );
    }
    if (filter !== undefined) checkIntermediate(source, target, source.height * width, maxIntermediateValues);
  },
  price({ size, antialias: filter }, [picture], channels) {
    const source = picture as Size;
    const target = detectionSize(size, source);
    if (filter === undefined) return { bytes: 0, time: channels * areaOf(target) * interpolationTime };
    // A window of a reduced axis covers its samples, that of an enlarged one a few of them.
    const across = source.height * Math.max(source.width, target.width);
    const down = target.width * Math.max(source.height, target.height);
    const taps = windowSamples[filter] * (across + down);
    return { bytes: source.height * target.width * 4, time: channels * taps * tapTime };
  },
  batchRule: ({ antialias: filter }) => (filter === undefined ? 'pad' : 'concatenate'),
  computesFloats: true,
};

function filterInWords(filter: ResizedValuesArrangement['antialias']): string {
  if (filter === undefined) return 'bilinear';
  return filter === 'blur' ? 'bilinear after a Gaussian blur' : `${filter}, antialiased`;
}

/**
 * The windows of both axes. `resize` of Owlv2ImageProcessor blurs only an image that becomes smaller on both sides, and
 * along rows by the standard deviation of the height, since gaussian_blur takes that of the width first.
 */
function windowsFor(filter: AntialiasFilter | 'blur', source: Size, target: Size) {
  if (filter !== 'blur') return { across: antialiasedWindows(filter), down: antialiasedWindows(filter) };
  const sigmaOf = (from: number, to: number) => Math.max(0, Math.fround((Math.fround(from / to) - 1) / 2));
  const [ofHeight, ofWidth] = [sigmaOf(source.height, target.height), sigmaOf(source.width, target.width)];
  if (ofHeight === 0 || ofWidth === 0) return { across: unblurredWindows, down: unblurredWindows };
  return { across: blurredWindows(ofHeight), down: blurredWindows(ofWidth) };
}

/** `_resize_image_and_masks` of transform.py, and `interpolate` with recompute_scale_factor. */
export function detectionSize(size: DetectionSize, source: Size): Size {
  if ('width' in size) return { width: size.width, height: size.height };
  const sides = [source.width, source.height];
  const scale = Math.min(size.shortestEdge / Math.min(...sides), size.longestEdge / Math.max(...sides));
  return { width: Math.trunc(source.width * scale), height: Math.trunc(source.height * scale) };
}

function canvasOf({ width, height }: Size, multipleOf: number): Size {
  const side = (length: number) => Math.ceil(length / multipleOf) * multipleOf;
  return { width: side(width), height: side(height) };
}
