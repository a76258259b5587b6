import { Failure } from '../../../failures.ts';
import { type AntialiasFilter, antialiasedWindows, resampleFloats } from '../kernels/float-antialias.ts';
import { bilinear } from '../kernels/float-bilinear.ts';
import { blurredWindows, unblurredWindows } from '../kernels/float-blur.ts';
import type { Size } from '../shortest-edge.ts';
import { sizeInWords } from '../words.ts';
import type { ArrangementKind } from './arrangement.ts';

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
    return `the normalized values resized to ${target} (${filter === undefined ? 'bilinear' : `${filter}, antialiased`})${zeros}`;
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
    for (const [channel, { sample, table }] of channels.entries()) {
      const read = (x: number, y: number) =>
        table[data[(y * width + x) * samples + sample] as number] as number;
      const [start, step] =
        layout === 'NCHW' ? [channel * canvas.width * canvas.height, 1] : [channel, channels.length];
      const write = (value: number, x: number, y: number) => {
        values[start + (y * canvas.width + x) * step] = value;
      };
      if (filter === undefined) bilinear(picture, read, target, write);
      else resampleFloats(picture, read, target, windowsFor(filter, picture, target), write);
    }
  },
  check({ size }, [picture]) {
    const { width, height } = detectionSize(size, picture as Size);
    if (width >= 1 && height >= 1) return;
    throw new Failure(
      'PRESET_UNSUPPORTED',
      `The preset reduces this image to ${width} × ${height} pixels, so it has none. Send a wider or taller one.`,
      { width, height },
    );
  },
  batchRule: ({ antialias: filter }) => (filter === undefined ? 'pad' : 'concatenate'),
  computesFloats: true,
};

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
