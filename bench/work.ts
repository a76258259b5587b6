import sharp from 'sharp';
import type { ImagePlan, Plan, TensorPlan } from '../src/processor/image/plan.ts';
import type { ResizeOptions } from '../test/support/plans.ts';
import { difference } from './measure.ts';

/*
 * The work on pictures: as a plan for our stages, as a query for the service, and the check of a result.
 */

/** sharp's own default, so the obvious chain does not set it; Pillow and OpenCV get it explicitly. */
export const quality = 80;

export const jpegOutput: ImagePlan = { kind: 'image', format: 'jpeg', quality };
export const pngOutput: ImagePlan = { kind: 'image', format: 'png', quality: undefined };
export const webpOutput: ImagePlan = { kind: 'image', format: 'webp', quality };
export const tensorOutput: TensorPlan = {
  kind: 'tensor',
  name: 'image',
  datatype: 'FP32',
  layout: 'NCHW',
  rescaleFactor: 1 / 255,
  mean: [0.5],
  std: [0.5],
  channelOrder: 'RGB',
  container: 'raw',
};
const pixelsOutput: TensorPlan = {
  ...tensorOutput,
  datatype: 'UINT8',
  layout: 'NHWC',
  rescaleFactor: 1,
  mean: [0],
  std: [1],
};

/** A resize to width × height, a grayscale or none, and an output; `planFrom` makes a plan of it. */
export interface BenchPlan {
  readonly resize: Extract<ResizeOptions, { readonly fit: 'fill' }>;
  readonly grayscale: boolean;
  readonly numerics: Plan['numerics'];
  readonly output: Plan['output'];
}

/** Bilinear, to width × height. */
export function planTo(
  width: number,
  height: number,
  output: Plan['output'],
  { numerics = 'pillow', grayscale = false }: Partial<Pick<BenchPlan, 'numerics' | 'grayscale'>> = {},
): BenchPlan {
  return { resize: { filter: 'bilinear', fit: 'fill', width, height }, grayscale, numerics, output };
}

/** The same as options of the API. */
export function optionsOf(plan: BenchPlan): Record<string, string> {
  const { width, height } = plan.resize;
  const { output, numerics, grayscale } = plan;
  const made =
    output.kind === 'image'
      ? {
          format: output.format ?? 'source',
          ...(output.quality !== undefined && { quality: String(output.quality) }),
        }
      : { format: 'raw', mean: '0.5', std: '0.5' };
  return {
    width: String(width),
    height: String(height),
    fit: 'fill',
    filter: 'bilinear',
    grayscale: String(grayscale),
    numerics,
    ...made,
  };
}

/** The plan for the pixels of an exact result, which the tests compare with Pillow's. */
export function referencePlan(plan: BenchPlan): BenchPlan {
  return { ...plan, numerics: 'pillow', output: pixelsOutput };
}

/** A result's values as [height, width, channels], in levels of 255. */
export async function levelsOf(answer: Uint8Array, plan: BenchPlan): Promise<ArrayLike<number>> {
  if (plan.output.kind === 'image') {
    const image = sharp(answer);
    return await (plan.grayscale ? image.toColourspace('b-w') : image.removeAlpha()).raw().toBuffer();
  }
  const values = new Float32Array(answer.buffer.slice(answer.byteOffset, answer.byteOffset + answer.length));
  const { width, height } = plan.resize;
  const plane = width * height;
  if (values.length !== plane * 3) throw new Error(`${values.length} values, not ${plane * 3}`);
  return values.map((_, at) => ((values[(at % 3) * plane + Math.trunc(at / 3)] as number) * 0.5 + 0.5) * 255);
}

/** Levels of 255; what is further from the exact pixels on average isn't the same picture. */
export const toleratedMean = { ours: 3, rivals: 30 } as const;

/**
 * The difference of a result from the exact pixels, a lossy encoding included.
 *
 * @param reference - [height, width, channels] uint8
 * @throws if it has another size, or isn't the same picture
 */
export async function errorOf(
  answer: Uint8Array,
  plan: BenchPlan,
  reference: Uint8Array,
  whose: keyof typeof toleratedMean,
): Promise<{ mean: number; max: number }> {
  const error = difference(await levelsOf(answer, plan), reference);
  if (error.mean > toleratedMean[whose]) throw new Error(`${error.mean} levels from the exact pixels`);
  return error;
}
