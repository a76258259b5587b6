import type { ProcessRequest } from '../../../gen/image/v1/processor_pb.ts';
import { invalidOption } from '../../options/invalid-option.ts';
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
  checkOnePicture(request, preset);
  return {
    source: sourcePlan(request.sourceOptions),
    numerics: numericsOf(request.numerics),
    alpha: preset.alpha,
    steps: preset.steps,
    ...(preset.views && { views: preset.views }),
    ...(preset.decisions && { decisions: preset.decisions }),
    output:
      output.case === 'image'
        ? imagePlan(output.value)
        : presetTensorPlan(output.case === 'tensor' ? output.value : undefined, preset.tensor),
  };
}

/** A preset of several pictures has no image, and libvips' shrinking decode serves only one size. */
function checkOnePicture({ output, numerics }: ProcessRequest, { views }: PresetPlan): void {
  if (views === undefined) return;
  const allowed = 'a tensor, because the preset makes several pictures of an image';
  if (output.case === 'image') throw invalidOption('output', 'an image', allowed);
  if (numericsOf(numerics) === 'fast') {
    throw invalidOption('numerics', 'fast', 'exact, because the preset makes several pictures of an image');
  }
}
