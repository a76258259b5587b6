import { cutUpright } from '../../../image/cutout.ts';
import { wholePart } from '../../../image/kernels/kernels.ts';
import { floatsOf } from '../../../image/kernels/samples.ts';
import { bilinearAsTensorFlow, nearestAsTensorFlow } from '../../../image/kernels/tensorflow.ts';
import type { Resampler } from '../hypothesis.ts';
import { floatLevels, floatRanges, levelsOf } from './levels.ts';

/** `tf.image.resize` of uint8, which returns floats, and Keras's `Resizing`, which calls it. */
export const tensorFlowResamplers: readonly Resampler[] = [
  {
    id: 'tensorflow bilinear',
    words: { numerics: 'TensorFlow tf.image.resize', filter: 'bilinear' },
    run(source, { box, resized }, cutout) {
      const part = cutUpright(source, 1, wholePart(source, box));
      const isSame = part.width === resized.width && part.height === resized.height;
      const { values } = floatRanges.float;
      const floats = isSame
        ? floatsOf({ pixels: cutUpright(part, 1, cutout), values })
        : bilinearAsTensorFlow(part, resized, cutout);
      return floatLevels(floats, 'float');
    },
  },
  {
    id: 'tensorflow nearest',
    words: { numerics: 'TensorFlow tf.image.resize', filter: 'nearest' },
    run: (source, { box, resized }, cutout) =>
      levelsOf(nearestAsTensorFlow(cutUpright(source, 1, wholePart(source, box)), resized, cutout)),
  },
];
