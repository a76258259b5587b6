import { headerBytes, imageBytes } from '../../content-bytes.ts';
import type { SourceFormat } from '../codecs/source-format.ts';
import type { PictureSizes } from './extras/extra.ts';
import { isGrayscale, type OutputFormat, outputFormat, type Plan } from './plan.ts';
import type { Shape } from './step.ts';
import { fixedSizeOf } from './steps.ts';
import { describeTensors, sizesOfPicture } from './tensor.ts';
import { bytesOfTensor, type TensorDescription } from './tensor-container.ts';
import { type Tokens, tokensOf } from './tokens.ts';
import { vllmBytes } from './vllm-item.ts';

/** Description of an output, known before its pixels are computed. */
export type OutputDescription =
  | {
      readonly kind: 'image';
      readonly format: OutputFormat;
      /** In pixels. */
      readonly width: number;
      readonly height: number;
    }
  | ({
      readonly kind: 'tensor';
      /** Length of the values, in bytes. */
      readonly bytes: number;
    } & TensorDescription);

/** The outputs that a plan produces from the processed picture, and an upper bound of their bytes together. */
export function describeOutputs(
  sizes: PictureSizes,
  colours: Shape['colours'],
  keepsAlpha: boolean,
  plan: Plan,
  sourceFormat: SourceFormat,
): {
  readonly outputs: readonly OutputDescription[];
  readonly maxContentBytes: number;
  readonly tokens?: Tokens;
} {
  const { width, height } = sizes.picture;
  const { output } = plan;
  if (output.kind === 'image') {
    const format = outputFormat(output, sourceFormat);
    const channels = colours + (keepsAlpha ? 1 : 0);
    return {
      outputs: [{ kind: 'image', format, width, height }],
      maxContentBytes: Math.ceil(imageBytes(sizes.picture, channels, format, output.quality)),
    };
  }
  const tensors = describeTensors(sizes, isGrayscale(plan) ? 1 : 3, output);
  return {
    outputs: tensors.map((tensor) => ({ kind: 'tensor', ...tensor, bytes: bytesOfTensor(tensor) })),
    maxContentBytes:
      output.container === 'vllm'
        ? vllmBytes(bytesOfTensors(tensors))
        : bytesOfTensors(tensors) + tensors.length * headerBytes,
    ...(output.tokens && { tokens: tokensOf(output.tokens, sizes) }),
  };
}

function bytesOfTensors(tensors: readonly TensorDescription[]): number {
  return tensors.reduce((sum, tensor) => sum + bytesOfTensor(tensor), 0);
}

/** The tensors of a plan, if their shapes are the same for every image. */
export function fixedTensors(plan: Plan): readonly TensorDescription[] | undefined {
  const { output, steps, views } = plan;
  const size = fixedSizeOf(steps);
  if (size === undefined || views !== undefined || output.kind !== 'tensor') return undefined;
  return describeTensors(sizesOfPicture(size, size), isGrayscale(plan) ? 1 : 3, output);
}
