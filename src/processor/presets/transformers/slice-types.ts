import type { Resampling } from '../../image/views/view.ts';
import { invalid, readFlag, readWholeNumber, unsupportedKeys } from '../config-values.ts';
import type { PresetLibrary } from '../preset.ts';
import type { ConfigValues, OwnPlan, ProcessorType } from '../processor-types.ts';
import { tileSteps } from './tile-values.ts';
import { bicubic, halfValues } from './type-values.ts';

/*
 * Image processors of transformers for MiniCPM: the whole image and slices of it, as patches in a row.
 */

const miniCpm = {
  ...tileSteps,
  ...halfValues,
  resample: bicubic,
  max_slice_nums: 9,
  scale_resolution: 448,
  patch_size: 14,
  slice_mode: true,
  use_image_id: true,
};
const ignores = ['size', 'do_center_crop', 'crop_size', 'do_pad', 'pad_size'];

/** Image processors by the name of their class. */
export const sliceTypes: Readonly<Record<string, ProcessorType>> = {
  MiniCPMOcrImageProcessor: {
    defaults: { ...miniCpm, downsample_mode: '4x', small_image_upsize: 'always' },
    ignores,
    own(config, resampling, library) {
      const mode = config.small_image_upsize;
      if (mode === 'adaptive') {
        throw unsupportedKeys(
          ['small_image_upsize'],
          'adaptive measures the letters of an image with OpenCV',
        );
      }
      return sliced(config, resampling, library, mode === 'always');
    },
  },
  MiniCPMV4_6ImageProcessor: {
    defaults: { ...miniCpm, downsample_mode: '16x' },
    ignores,
    own: (config, resampling, library) => sliced(config, resampling, library, true),
  },
};

function sliced(
  config: ConfigValues,
  resampling: Resampling,
  library: PresetLibrary,
  enlarges: boolean,
): OwnPlan {
  if (!readFlag(config, 'do_resize')) {
    if (library === 'torch') throw invalid('do_resize', config.do_resize, 'true');
    throw unsupportedKeys(['do_resize'], 'the slices would be parts of the image that are no whole patches');
  }
  const patch = readWholeNumber(config, 'patch_size', 1, 4096);
  return {
    steps: [],
    views: {
      kind: 'slices',
      scale: readWholeNumber(config, 'scale_resolution', 1, 65_535),
      maxSlices: readFlag(config, 'slice_mode') ? readWholeNumber(config, 'max_slice_nums', 0, 4096) : 0,
      // A token is made of 2 × 2 patches, once or twice.
      multiple: patch * (config.downsample_mode === '4x' ? 2 : 4),
      enlarges,
      ...resampling,
    },
    tensor: {
      ...(library === 'torch' && { datatype: 'FP32' }),
      arrangement: { kind: 'patchRows', size: patch },
      extras: [
        { kind: 'patchGrid', name: 'target_sizes', size: patch, isPlanar: true, datatype: 'INT32' },
        { kind: 'tileCounts', name: 'grids', tile: 'last', ofOne: 0 },
        { kind: 'pictureCount', name: 'num_patches_per_image' },
      ],
    },
  };
}
