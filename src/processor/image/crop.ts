import { canvasPixels, cutoutUnderCanvas, placeOnCanvas } from './picture.ts';
import { roundHalfToEven } from './shortest-edge.ts';
import type { StepKind } from './step.ts';

/** Cuts width × height pixels from the centre. Beyond a smaller image the result is black, or transparent. */
export interface CropStep {
  readonly kind: 'crop';
  /** In pixels. */
  readonly width: number;
  /** In pixels. */
  readonly height: number;
  readonly origin: CropOrigin;
}

/**
 * The rule for rounding the centre. The rules agree if the difference between image and crop is even; otherwise they
 * put the odd pixel on different sides:
 * - `transformers`: its Pillow backend (image_transforms.center_crop);
 * - `transformers-torchvision`: its torchvision backend, TorchvisionBackend.center_crop;
 * - `torchvision`: transforms.functional.center_crop.
 */
export type CropOrigin = 'transformers' | 'transformers-torchvision' | 'torchvision';

export const crop: StepKind<CropStep> = {
  place({ width, height, origin }, input) {
    // + 0 turns −0 into 0.
    const left = -cropStart(input.width, width, origin) + 0;
    const top = -cropStart(input.height, height, origin) + 0;
    return { width, height, colours: input.colours, left, top };
  },
  fixedSize: ({ width, height }) => ({ width, height }),
  inputCutout: cutoutUnderCanvas,
  newPixels: canvasPixels,
  run: (picture, placed) => placeOnCanvas(picture, placed),
};

/**
 * Where a crop begins along one axis, in pixels of the image. Below 0 the crop is larger than the image, and that many
 * pixels of padding precede the image.
 */
export function cropStart(imageSide: number, cropSide: number, origin: CropOrigin): number {
  const surplus = imageSide - cropSide;
  if (surplus >= 0) return origin === 'torchvision' ? roundHalfToEven(surplus / 2) : Math.floor(surplus / 2);
  // + 0 so that one missing pixel gives 0, not −0.
  return origin === 'transformers' ? -Math.ceil(-surplus / 2) : -Math.floor(-surplus / 2) + 0;
}
