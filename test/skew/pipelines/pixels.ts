import type { MadeTensor } from '../comparison.ts';
import type { HeldOutImage, Pipeline } from '../pipelines.ts';

/** Pixels as JavaScript libraries give them: [height, width, channels], uint8. */
export interface RawPixels {
  readonly data: ArrayLike<number>;
  readonly width: number;
  readonly height: number;
  readonly channels: number;
}

/** A pipeline that stops at the pixels; those of `half` follow. */
export type PixelPipeline = Pick<Pipeline, 'name' | 'expected'> & {
  readonly kind?: string;
  pixels(image: HeldOutImage): Promise<RawPixels>;
};

const preset = 'google/vit-base-patch16-224';

/** A pipeline in JavaScript, for a ViT. @param missing - a package that is not installed */
export function pixelPipeline(
  { name, kind = 'photo', expected, pixels }: PixelPipeline,
  missing?: string,
): Pipeline {
  return { name, preset, kind, expected, missing, run: async (image) => half(await pixels(image)) };
}

/** (x / 255 − 0.5) / 0.5 in planes, as JavaScript computes it: in double precision, rounded when it is stored. */
function half({ data, width, height, channels }: RawPixels): MadeTensor {
  const area = width * height;
  const values = new Float32Array(3 * area);
  for (let pixel = 0; pixel < area; pixel++) {
    for (let channel = 0; channel < 3; channel++) {
      const level = data[pixel * channels + Math.min(channel, channels - 1)] as number;
      values[channel * area + pixel] = (level / 255 - 0.5) / 0.5;
    }
  }
  return { datatype: 'FP32', shape: [1, 3, height, width], bytes: new Uint8Array(values.buffer) };
}
