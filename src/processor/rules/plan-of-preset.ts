import type { ProcessRequest } from '../../../gen/image/v1/processor_pb.ts';
import type { Plan } from '../image/plan.ts';
import { fixedSizeOf } from '../image/steps.ts';
import type { PresetPlan } from '../presets/preset-plan.ts';
import { numericsOf } from './enum-names.ts';
import { checkRequestedSize } from './limits.ts';
import { imagePlan, presetTensorPlan } from './output-plan.ts';
import { sourcePlan } from './source-plan.ts';

/**
 * The plan of a request with a preset: the preset's steps, and the options that a request may set in addition.
 *
 * @throws OPTION_INVALID, OUTPUT_PIXELS_OVER_LIMIT
 */
export function planOfPreset(request: ProcessRequest, preset: PresetPlan, maxOutputPixels: number): Plan {
  const { output } = request;
  for (const step of preset.steps) {
    const size = fixedSizeOf([step]);
    if (size !== undefined) checkRequestedSize(size.width, size.height, maxOutputPixels);
  }
  return {
    source: sourcePlan(request.sourceOptions),
    numerics: numericsOf(request.numerics),
    alpha: preset.alpha,
    steps: preset.steps,
    output:
      output.case === 'image'
        ? imagePlan(output.value)
        : presetTensorPlan(output.case === 'tensor' ? output.value : undefined, preset.tensor),
  };
}
