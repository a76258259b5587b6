import { canvasPixels, cutoutUnderCanvas, placeOnCanvas } from './picture.ts';
import { type Colour, grayToRgb } from './pixels.ts';
import { roundHalfToEven } from './shortest-edge.ts';
import type { StepKind } from './step.ts';
import { colourInWords, sizeInWords } from './words.ts';

/**
 * Cuts width × height pixels. Beyond a smaller image the result has a colour; without one it is black, or transparent if
 * there is alpha.
 */
export interface CropStep {
  readonly kind: 'crop';
  /** In pixels. */
  readonly width: number;
  /** In pixels. */
  readonly height: number;
  readonly origin: CropOrigin;
  readonly colour?: Colour | undefined;
}

/**
 * Where the crop begins: the column and row of the image, in pixels, or the centre by a rule of rounding. The rules
 * agree if the difference between image and crop is even; otherwise they put the odd pixel on different sides:
 * - `transformers`: its Pillow backend (image_transforms.center_crop);
 * - `transformers-torchvision`: its torchvision backend, TorchvisionBackend.center_crop;
 * - `torchvision`: transforms.functional.center_crop.
 */
export type CropOrigin = CentreRule | { readonly left: number; readonly top: number };

/** A library's rule for the centre. */
export type CentreRule = 'transformers' | 'transformers-torchvision' | 'torchvision';

export const crop: StepKind<CropStep> = {
  inWords(step) {
    const { origin } = step;
    const place =
      typeof origin === 'string' ? 'from the centre' : `at column ${origin.left}, row ${origin.top}`;
    const fill = step.colour === undefined ? '' : `, ${colourInWords(step.colour)} beyond the image`;
    return `crop ${sizeInWords(step)} ${place}${fill}`;
  },
  place({ width, height, origin, colour }, input) {
    const [startLeft, startTop] =
      typeof origin === 'string'
        ? [cropStart(input.width, width, origin), cropStart(input.height, height, origin)]
        : [origin.left, origin.top];
    // + 0 turns −0 into 0.
    const [left, top] = [-startLeft + 0, -startTop + 0];
    const isCovered = input.width >= width && input.height >= height;
    return { width, height, colours: colour === undefined || isCovered ? input.colours : 3, left, top };
  },
  fixedSize: ({ width, height }) => ({ width, height }),
  inputCutout: cutoutUnderCanvas,
  newPixels: canvasPixels,
  run(picture, placed) {
    const { colour } = placed.step;
    const pixels = placed.output.colours === 3 ? grayToRgb(picture.pixels) : picture.pixels;
    return placeOnCanvas({ ...picture, pixels }, placed, colour);
  },
};

/**
 * Where a crop begins along one axis, in pixels of the image. Below 0 the crop is larger than the image, and that many
 * pixels of padding precede the image.
 */
export function cropStart(imageSide: number, cropSide: number, origin: CentreRule): number {
  const surplus = imageSide - cropSide;
  if (surplus >= 0) return origin === 'torchvision' ? roundHalfToEven(surplus / 2) : Math.floor(surplus / 2);
  // + 0 so that one missing pixel gives 0, not −0.
  return origin === 'transformers' ? -Math.ceil(-surplus / 2) : -Math.floor(-surplus / 2) + 0;
}
