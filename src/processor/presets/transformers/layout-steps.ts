import type { Step } from '../../image/steps.ts';
import type { Resampling } from '../../image/views/view.ts';
import { invalid, readFlag, readNumber } from '../config-values.ts';
import type { PresetLibrary } from '../preset.ts';
import type { ConfigValues, OwnPlan, OwnTensor } from '../processor-types.ts';
import {
  checkRescale,
  cropped,
  paddedAfterwards,
  padSize,
  plainSize,
  refuse,
  unfusedValues,
} from './own-steps.ts';

/*
 * The layout models of PaddleOCR in transformers, which resize without antialiasing.
 */

/** PPDocLayoutV2ImageProcessor and PPDocLayoutV3ImageProcessor resize pixels, then do as TorchvisionBackend. */
export function layout(config: ConfigValues, resampling: Resampling, library: PresetLibrary): OwnPlan {
  return {
    steps: [...resizedPlainly(config, resampling), ...cropped(config, library)],
    ...(readFlag(config, 'do_pad') && { tensor: { arrangement: paddedAfterwards(config) } }),
  };
}

/** PPDocLayoutV4ImageProcessor rescales, resizes and cuts the values to the range of pixels, which makes them floats. */
export function layoutOfFloats(
  config: ConfigValues,
  resampling: Resampling,
  library: PresetLibrary,
): OwnPlan {
  const resizes = readFlag(config, 'do_resize');
  const [rescales, pads] = [readFlag(config, 'do_rescale'), readFlag(config, 'do_pad')];
  const { filter } = resampling;
  if (resizes && rescales && (filter === 'bilinear' || filter === 'bicubic')) {
    refuse(config, 'do_center_crop', 'the resized values would be cropped');
    const factor = readNumber(config, 'rescale_factor');
    if (factor <= 0) throw invalid('rescale_factor', factor, 'a number over 0');
    const canvas = padSize(config) ?? ({ multipleOf: 1 } as const);
    return {
      steps: [],
      tensor: {
        rounding: 'resized',
        arrangement: {
          kind: 'resizedValues',
          size: plainSize(config),
          plain: filter,
          limit: 255 * factor,
          ...(pads && { canvas }),
        },
      },
    };
  }
  if (!resizes) checkRescale(config);
  const values: OwnTensor = rescales ? unfusedValues(config) : resizes ? { datatype: 'FP32' } : {};
  return {
    steps: [...resizedPlainly(config, resampling), ...cropped(config, library)],
    tensor: { ...values, ...(pads && { arrangement: paddedAfterwards(config) }) },
  };
}

/** The resize without antialiasing, if `do_resize`. Lanczos needs it; the nearest pixels are the same with it. */
function resizedPlainly(config: ConfigValues, { filter }: Resampling): Step[] {
  if (!readFlag(config, 'do_resize')) return [];
  if (filter === 'lanczos') throw invalid('resample', config.resample, '0, 2 or 3');
  const library = filter === 'bilinear' || filter === 'bicubic' ? 'plainTorch' : 'torch';
  return [{ kind: 'resize', ...plainSize(config), filter, library }];
}
