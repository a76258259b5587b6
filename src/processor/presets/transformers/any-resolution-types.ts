import type { Size } from '../../image/shortest-edge.ts';
import type { Step } from '../../image/steps.ts';
import { type Resampling, squareOf } from '../../image/views/view.ts';
import { invalid, readFlag, readSize, readWholeNumber } from '../config-values.ts';
import type { PresetLibrary } from '../preset.ts';
import type { ConfigValues, OwnPlan, ProcessorType } from '../processor-types.ts';
import { cropOrigin, plainSize } from './own-steps.ts';
import { readResolutions, tileSteps } from './tile-values.ts';
import { bicubic, clipValues, halfValues, square } from './type-values.ts';
import { vllmAria, vllmLlavaNext, vllmLlavaOnevision } from './vllm-values.ts';

/*
 * Image processors of transformers that cut an image in the best of some resolutions into tiles. Each file
 * image_processing_*.py there has the defaults and the order of the pictures.
 */

const llavaResolutions = [
  [336, 672],
  [672, 336],
  [672, 672],
  [1008, 336],
  [336, 1008],
];
const onevisionSides = [384, 768, 1152, 1536, 1920, 2304];
const onevisionResolutions = onevisionSides.flatMap((height) =>
  onevisionSides.map((width) => [height, width]),
);
/** Rows and columns. */
const ariaGrids = [
  ...[2, 3, 4, 5, 6, 7, 8].map((columns) => [1, columns]),
  ...[4, 3, 2, 1].map((columns) => [2, columns]),
  [3, 1],
  [3, 2],
  [4, 1],
  [4, 2],
  ...[5, 6, 7, 8].map((rows) => [rows, 1]),
];

/** Image processors by the name of their class. */
export const anyResolutionTypes: Readonly<Record<string, ProcessorType>> = {
  LlavaNextImageProcessor: {
    defaults: {
      ...tileSteps,
      ...clipValues,
      size: { shortest_edge: 224 },
      default_to_square: false,
      crop_size: square(224),
      do_center_crop: true,
      do_pad: true,
      resample: bicubic,
      image_grid_pinpoints: llavaResolutions,
    },
    own: anyResolution,
    vllm: vllmLlavaNext,
  },
  LlavaOnevisionImageProcessor: {
    defaults: {
      ...tileSteps,
      ...clipValues,
      size: square(384),
      default_to_square: false,
      crop_size: null,
      do_center_crop: null,
      do_pad: true,
      resample: bicubic,
      image_grid_pinpoints: onevisionResolutions,
    },
    own(config, resampling, library) {
      const { tensor, ...rules } = anyResolution(config, resampling, library);
      const extras = [...(tensor?.extras ?? []), { kind: 'imageCount', name: 'batch_num_images' } as const];
      return { ...rules, tensor: { ...tensor, extras } };
    },
    vllm: vllmLlavaOnevision,
  },
  AriaImageProcessor: {
    defaults: {
      ...tileSteps,
      do_resize: null,
      ...halfValues,
      resample: bicubic,
      max_image_size: 980,
      min_image_size: 336,
      split_image: false,
      split_resolutions: ariaGrids.map((sides) => sides.map((side) => 490 * side)),
    },
    own(config, resampling) {
      const side = config.max_image_size;
      if (side !== 490 && side !== 980) throw invalid('max_image_size', side, '490 or 980');
      const minSide = readWholeNumber(config, 'min_image_size', 1, side);
      const resolutions = readFlag(config, 'split_image')
        ? readResolutions(config, 'split_resolutions')
        : undefined;
      return {
        steps: [],
        views: { kind: 'aria', square: side, minSide, resolutions, ...resampling },
        tensor: {
          extras: [
            { kind: 'pixelMask', name: 'pixel_mask', datatype: 'BOOL' },
            { kind: 'pictureCount', name: 'num_crops', axes: 0 },
          ],
        },
      };
    },
    vllm: vllmAria,
  },
};

/** LLaVA-NeXT: a tile has the crop's height, else the size's. Every picture is resized and cropped as the config says. */
function anyResolution(config: ConfigValues, resampling: Resampling, library: PresetLibrary): OwnPlan {
  const size = plainSize(config);
  const whole = size.fit === 'fill' ? size : 'shortestEdge' in size ? squareOf(size.shortestEdge) : undefined;
  if (whole === undefined) throw invalid('size', config.size, '{height, width} or {shortest_edge}');
  const isCropped = readFlag(config, 'do_center_crop');
  const crop = cropOf(config, isCropped);
  const tile = crop?.height ?? whole.height;
  const resolutions = readResolutions(config, 'image_grid_pinpoints');
  const each: Step[] = [];
  if (readFlag(config, 'do_resize')) each.push({ kind: 'resize', ...size, ...resampling });
  if (isCropped && crop !== undefined) {
    each.push({ kind: 'crop', width: crop.width, height: crop.height, origin: cropOrigin(library) });
  }
  const isSquare = (box: Size | undefined) =>
    box === undefined || (box.width === tile && box.height === tile);
  const areMultiples = resolutions.every(({ width, height }) => width % tile === 0 && height % tile === 0);
  const changesNothing = isSquare(whole) && isSquare(crop) && areMultiples;
  return {
    steps: [],
    views: {
      kind: 'anyResolution',
      resolutions,
      whole: { width: whole.width, height: whole.height },
      tile,
      each: changesNothing ? [] : each,
      ...resampling,
    },
    tensor: {
      arrangement: { kind: 'images', leadingAxes: 1, isPadded: readFlag(config, 'do_pad') },
      extras: [{ kind: 'imageSizes', name: 'image_sizes' }],
    },
  };
}

/** The crop's size. A size without a height is ignored if nothing is cropped. */
function cropOf(config: ConfigValues, isCropped: boolean): Size | undefined {
  const crop = config.crop_size === null ? undefined : readSize(config, 'crop_size', true);
  if (crop?.fit === 'fill') return crop;
  if (isCropped) throw invalid('crop_size', config.crop_size, '{height, width}');
  return undefined;
}
