import type { Resampling } from '../../image/views/view.ts';
import {
  invalid,
  readFlag,
  readPerChannel,
  readStd,
  readWholeNumber,
  unsupportedKeys,
} from '../config-values.ts';
import type { ConfigValues, OwnPlan, OwnTensor } from '../processor-types.ts';

const limitTypes = { max: 'max', min: 'min', resize_long: 'long' } as const;

/** PPOCRV5ServerDetImageProcessor resizes pixels to floats and normalizes them, then turns RGB to BGR. */
export function textDetection(config: ConfigValues, { filter }: Resampling): OwnPlan {
  const [rescales, normalizes] = [readFlag(config, 'do_rescale'), readFlag(config, 'do_normalize')];
  const bgr: OwnTensor = {
    channelOrder: 'BGR',
    ...(normalizes && {
      mean: readPerChannel(config, 'image_mean').toReversed(),
      std: readStd(config).toReversed(),
    }),
  };
  if (!readFlag(config, 'do_resize')) return { steps: [], tensor: bgr };
  const size = { fit: 'rule', rule: detectionSize(config) } as const;
  const tensor: OwnTensor = {
    ...bgr,
    datatype: 'FP32',
    extras: [{ kind: 'imageSizes', name: 'target_sizes', datatype: 'FP32' }],
  };
  if (filter === 'nearest-exact') {
    return { steps: [{ kind: 'resize', ...size, filter, library: 'torch' }], tensor };
  }
  if (filter !== 'bilinear' && filter !== 'bicubic') {
    throw unsupportedKeys(['resample'], 'floats would be resized by lanczos');
  }
  if (rescales && !normalizes) {
    throw unsupportedKeys(['do_normalize'], 'floats would only be rescaled after the resize');
  }
  return {
    steps: [],
    tensor: {
      ...tensor,
      rounding: rescales ? 'resizedFused' : 'resized',
      arrangement: { kind: 'resizedValues', size, antialias: filter },
    },
  };
}

function detectionSize(config: ConfigValues) {
  const type = config.limit_type;
  const limitType = Object.entries(limitTypes).find(([name]) => name === type)?.[1];
  if (limitType === undefined) throw invalid('limit_type', type, 'max, min or resize_long');
  const isUnlimited = config.max_side_limit === null;
  return {
    kind: 'textDetection',
    limit: readWholeNumber(config, 'limit_side_len', 1, 65_535),
    limitType,
    longestSide: isUnlimited ? 2 ** 31 : readWholeNumber(config, 'max_side_limit', 1, 65_535),
  } as const;
}
