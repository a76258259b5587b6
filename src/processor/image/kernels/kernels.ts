import { sizeUpright } from '../../codecs/orient.ts';
import { type Cutout, cutUpright, wholeOf } from '../cutout.ts';
import type { Pixels } from '../pixels.ts';
import { roundHalfToEven, type Size } from '../shortest-edge.ts';
import { checkOpenCvWork, type OpenCvFilterName, resampleAsOpenCv } from './opencv.ts';
import type { Target } from './resample.ts';
import { checkTorchWork, resampleAsPlainTorch, resampleAsTorch, type TorchFilterName } from './torch.ts';
import { checkTorchLinearWork, resampleAsTorchLinear } from './torch-linear.ts';
import type { PlainTorchFilterName } from './torch-weights.ts';

/** The libraries besides Pillow whose arithmetic is reproduced to the last bit. */
export type Library = 'torch' | 'opencv';

/**
 * The kernels of a resize: those of the libraries, and torch's without antialiasing, which computes bilinear and bicubic of
 * uint8 (`plainTorch`) or bilinear of floats that are rounded (`torchLinear`).
 */
export type KernelName = Library | 'plainTorch' | 'torchLinear';

/** The resize of a library other than Pillow. */
export interface Kernel {
  /**
   * @param source - its size, upright
   * @throws OUTPUT_PIXELS_OVER_LIMIT if the resize takes too much time or memory
   */
  check(source: Size, target: Target): void;
  /**
   * Turns an image upright and resamples it.
   *
   * @param stored - [height, width, 1 | 3 | 4] uint8, as stored
   * @param orientation - EXIF's, 1…8
   * @param target - its filter exists in the library: the rules refuse all others
   * @returns [height, width, 1 | 3 | 4] uint8
   */
  resample(stored: Pixels, orientation: number, target: Target): Pixels;
}

/** The kernels by name. */
export const kernels: Readonly<Record<KernelName, Kernel>> = {
  torch: {
    check: (source, target) => checkTorchWork(source, forTorch(source, target)),
    resample: (stored, orientation, target) =>
      resampleAsTorch(stored, orientation, forTorch(sizeUpright(stored, orientation), target)),
  },
  plainTorch: {
    check: (source, target) => checkTorchWork(source, forTorch(source, target)),
    resample(stored, orientation, target) {
      const size = sizeUpright(stored, orientation);
      const { filter, ...plain } = forTorch(size, target);
      return resampleAsPlainTorch(cutUpright(stored, orientation, wholeOf(size)), {
        ...plain,
        filter: filter as PlainTorchFilterName,
      });
    },
  },
  torchLinear: {
    check: (source, target) => checkTorchLinearWork(source, forTorch(source, target)),
    resample: (stored, orientation, target) =>
      resampleAsTorchLinear(stored, orientation, forTorch(sizeUpright(stored, orientation), target)),
  },
  opencv: {
    check: checkOpenCvWork,
    resample: (stored, orientation, target) =>
      resampleAsOpenCv(stored, orientation, forOpenCv(sizeUpright(stored, orientation), target)),
  },
};

function forTorch(source: Size, { filter, box, ...target }: Target) {
  return { ...target, filter: filter as TorchFilterName, part: box && wholePart(source, box) };
}

function forOpenCv(source: Size, { filter, box, ...target }: Target) {
  return { ...target, filter: filter as OpenCvFilterName, part: box && wholePart(source, box) };
}

/**
 * A box in whole pixels: torch and OpenCV accept no fractions. Its sides and its centred position are rounded half to
 * even, as torchvision's `center_crop` rounds the position.
 */
export function wholePart(source: Size, [left, top, right, bottom]: NonNullable<Target['box']>): Cutout {
  const across = middle(source.width, right - left);
  const down = middle(source.height, bottom - top);
  return { left: across.from, top: down.from, right: across.to, bottom: down.to };
}

function middle(whole: number, part: number): { readonly from: number; readonly to: number } {
  const length = Math.max(1, roundHalfToEven(part));
  const from = roundHalfToEven((whole - length) / 2);
  return { from, to: from + length };
}
