import type { Resampler } from './hypothesis.ts';
import { openCvFloatResamplers, openCvResamplers } from './resamplers/opencv.ts';
import { morePillowResamplers, pillowResamplers } from './resamplers/pillow.ts';
import { sharpResamplers } from './resamplers/sharp.ts';
import { tensorFlowResamplers } from './resamplers/tensorflow.ts';
import { torchFloatResamplers, torchResamplers } from './resamplers/torch.ts';

/** The arithmetics of a resize, the most usual first. */
export const resamplers: readonly Resampler[] = [
  ...pillowResamplers,
  ...openCvResamplers,
  ...torchResamplers,
  ...morePillowResamplers,
  ...sharpResamplers,
  ...torchFloatResamplers,
  ...openCvFloatResamplers,
  ...tensorFlowResamplers,
];
