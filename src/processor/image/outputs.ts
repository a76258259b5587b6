import { imageBytes, tensorBytes, valueBytes } from '../../content-bytes.ts';
import type { SourceFormat } from '../codecs/codecs.ts';
import { isGrayscale, type OutputFormat, outputFormat, type Plan } from './plan.ts';
import type { Shape } from './step.ts';
import { fixedSizeOf } from './steps.ts';
import { tensorShape } from './tensor.ts';
import type { TensorDescription } from './tensor-container.ts';

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
  picture: Shape,
  keepsAlpha: boolean,
  plan: Plan,
  sourceFormat: SourceFormat,
): { readonly outputs: readonly OutputDescription[]; readonly maxContentBytes: number } {
  const { width, height } = picture;
  const { output } = plan;
  if (output.kind === 'image') {
    const format = outputFormat(output, sourceFormat);
    const channels = picture.colours + (keepsAlpha ? 1 : 0);
    return {
      outputs: [{ kind: 'image', format, width, height }],
      maxContentBytes: Math.ceil(imageBytes(picture, channels, format, output.quality)),
    };
  }
  const channels = isGrayscale(plan) ? 1 : 3;
  const { name, datatype, layout } = output;
  const shape = tensorShape(picture, channels, layout);
  const bytes = valueBytes(picture, channels, datatype);
  return {
    outputs: [{ kind: 'tensor', name, datatype, shape, bytes }],
    maxContentBytes: tensorBytes(picture, channels, datatype),
  };
}

/** Bytes of a tensor's values, if they are the same for every image. */
export function fixedValueBytes(plan: Plan): number | undefined {
  const { output, steps } = plan;
  const size = fixedSizeOf(steps);
  if (size === undefined || output.kind !== 'tensor') return undefined;
  return valueBytes(size, isGrayscale(plan) ? 1 : 3, output.datatype);
}
