import type { Colour } from '../../image/pixels.ts';
import type { Resampling } from '../../image/views/view.ts';
import { invalid, readFlag, readPerChannel, readStd, readWholeNumber } from '../config-values.ts';
import type { PresetLibrary } from '../preset.ts';
import type { ConfigValues, OwnPlan, ProcessorType } from '../processor-types.ts';
import { backendOf, readResampling } from './backends.ts';
import { fixedSize, meanColour } from './own-steps.ts';
import { readTiles, tileSteps } from './tile-values.ts';
import { bicubic, clipValues, halfValues, square } from './type-values.ts';

/*
 * Image processors of transformers that return two tensors of pixels: a picture of the whole image, and others.
 */

const ocr = {
  ...tileSteps,
  ...halfValues,
  size: square(1024),
  resample: bicubic,
  crop_to_patches: true,
  min_patches: 2,
  background_color: [127, 127, 127],
};
const ignores = ['do_center_crop', 'crop_size', 'do_pad', 'pad_size'];

/** Image processors by the name of their class. */
export const twoTensorTypes: Readonly<Record<string, ProcessorType>> = {
  DeepseekOcr2ImageProcessor: {
    defaults: { ...ocr, max_patches: 6, tile_size: 768 },
    ignores,
    own(config, resampling) {
      const side = tileSide(config);
      const square = readFlag(config, 'crop_to_patches') ? fixedSize(config, 'size').height : side;
      return {
        ...globalAndTiles(config, resampling, square, background(config)),
        tensor: {
          extras: [{ kind: 'pictureCount', name: 'num_local_patches', skip: 1 }],
          rest: { name: 'pixel_values_local' },
        },
      };
    },
  },
  DeepseekVLHybridImageProcessor: {
    defaults: {
      ...tileSteps,
      do_convert_rgb: null,
      ...clipValues,
      size: square(384),
      min_size: 14,
      resample: bicubic,
      do_pad: true,
      high_res_image_mean: clipValues.image_mean,
      high_res_image_std: clipValues.image_std,
      high_res_size: square(1024),
      high_res_resample: bicubic,
    },
    ignores: ['do_center_crop', 'crop_size', 'pad_size'],
    own: twoResolutions,
  },
  UnlimitedOcrImageProcessor: {
    defaults: { ...ocr, max_patches: 32, tile_size: 640, maximum_pad_value: 640 },
    ignores,
    own(config, resampling) {
      const { width, height } = fixedSize(config, 'size');
      const square = Math.max(width, height);
      const limit = readWholeNumber(config, 'maximum_pad_value', 0, 65_535);
      const isStretched = !readFlag(config, 'crop_to_patches') && square <= limit;
      const side = tileSide(config);
      return {
        ...globalAndTiles(config, resampling, square, isStretched ? undefined : background(config)),
        tensor: {
          extras: [
            { kind: 'pictureCount', name: 'num_local_patches', skip: 1 },
            {
              kind: 'tileCounts',
              name: 'patches_grid',
              tile: { width: side, height: side },
              columnsFirst: true,
            },
          ],
          rest: { name: 'pixel_values_local' },
        },
      };
    },
  },
};

function globalAndTiles(
  config: ConfigValues,
  resampling: Resampling,
  square: number,
  colour: Colour | undefined,
): Pick<OwnPlan, 'steps' | 'views'> {
  const tiles = readFlag(config, 'crop_to_patches')
    ? {
        side: tileSide(config),
        min: readTiles(config, 'min_patches'),
        max: readTiles(config, 'max_patches'),
      }
    : undefined;
  return { steps: [], views: { kind: 'globalAndTiles', square, colour, tiles, ...resampling } };
}

function tileSide(config: ConfigValues): number {
  return readWholeNumber(config, 'tile_size', 1, 65_535);
}

/** `pad_to_square`: a number is the red of a colour without green and blue. */
function background(config: ConfigValues): Colour {
  const value = config.background_color;
  const [red, green, blue, ...others] = Array.isArray(value) ? value : [value, 0, 0];
  const colour = [red, green, blue] as const;
  const isSample = (sample: unknown) =>
    Number.isInteger(sample) && (sample as number) >= 0 && (sample as number) <= 255;
  if (others.length === 0 && colour.every(isSample)) return colour;
  throw invalid('background_color', value, 'three whole numbers from 0 to 255');
}

/** DeepseekVLHybridImageProcessor. Without a resize its torch backend fails, and its Pillow backend pads nothing. */
function twoResolutions(config: ConfigValues, resampling: Resampling, library: PresetLibrary): OwnPlan {
  const [resizes, pads] = [readFlag(config, 'do_resize'), readFlag(config, 'do_pad')];
  if (library === 'torch' && !(resizes && pads)) {
    throw invalid(resizes ? 'do_pad' : 'do_resize', false, 'true, as its torch backend fails otherwise');
  }
  // The constructor makes the colours even where nothing is padded.
  const [colour, highColour] = [meanColour(config), meanColour(config, 'high_res_image_mean')];
  const shortestSide = readWholeNumber(config, 'min_size', 1, 65_535);
  // Python calls 0, the nearest pixel, false, so the Pillow backend takes the other filter.
  const isUnset = library === 'pillow' && config.high_res_resample === 0;
  const highResampling = isUnset
    ? resampling
    : readResampling(config, backendOf(library), 'high_res_resample');
  const normalizes = readFlag(config, 'do_normalize');
  return {
    steps: [],
    views: {
      kind: 'twoResolutions',
      squares: resizes
        ? {
            small: {
              side: squareSide(config, 'size'),
              shortestSide,
              colour: pads ? colour : undefined,
              ...resampling,
            },
            large: {
              side: squareSide(config, 'high_res_size'),
              shortestSide,
              colour: pads ? highColour : undefined,
              ...highResampling,
            },
          }
        : undefined,
    },
    tensor: {
      rest: {
        name: 'high_res_pixel_values',
        ...(normalizes && {
          mean: readPerChannel(config, 'high_res_image_mean'),
          std: readStd(config, 'high_res_image_std'),
        }),
      },
    },
  };
}

function squareSide(config: ConfigValues, key: string): number {
  const { width, height } = fixedSize(config, key);
  if (width === height) return width;
  throw invalid(key, config[key], 'two equal sides');
}
