import type { ProcessRequest } from '../../../gen/image/v1/processor_pb.ts';
import { Failure } from '../../failures.ts';
import type { Plan, ResizePlan } from '../image/plan.ts';
import type { PresetPlan, ResizeStep } from '../presets/preset-plan.ts';
import { enumName, numericsNames } from './enum-names.ts';
import { checkRequestedSize } from './limits.ts';
import { imagePlan, presetTensorPlan } from './output-plan.ts';
import { sourcePlan } from './source-plan.ts';

/**
 * The plan of a request with a preset: the preset's steps, and the options that a request may set beside it.
 *
 * @throws OPTION_INVALID, OUTPUT_PIXELS_OVER_LIMIT, PRESET_UNSUPPORTED
 */
export function planOfPreset(request: ProcessRequest, preset: PresetPlan, maxOutputPixels: number): Plan {
  const { output } = request;
  const { resize, crop } = resizeAndCropOf(preset);
  for (const size of [resize, crop]) {
    if (size !== undefined && 'width' in size && 'height' in size)
      checkRequestedSize(size.width, size.height, maxOutputPixels);
  }
  return {
    source: sourcePlan(request.sourceOptions),
    resize,
    crop,
    grayscale: false,
    numerics: enumName('numerics', request.numerics, numericsNames),
    background: preset.alpha === 'onWhite' ? [255, 255, 255] : undefined,
    dropsAlpha: true,
    output:
      output.case === 'image'
        ? imagePlan(output.value)
        : presetTensorPlan(output.case === 'tensor' ? output.value : undefined, preset.tensor),
  };
}

/** A preset's steps are a resize and then a crop, and either may be missing. */
function resizeAndCropOf({ steps }: PresetPlan): Pick<Plan, 'resize' | 'crop'> {
  const [resize] = steps.filter((step) => step.kind === 'resize');
  const [crop] = steps.filter((step) => step.kind === 'centerCrop');
  const inOrder = [resize, crop].filter((step) => step !== undefined);
  if (inOrder.length !== steps.length || inOrder.some((step, at) => step !== steps[at])) {
    throw new Failure(
      'PRESET_UNSUPPORTED',
      'Only one resize, and after it one center crop, is computed here.',
    );
  }
  return {
    resize: resize && resizeTo(resize),
    crop: crop && { width: crop.width, height: crop.height, origin: crop.origin },
  };
}

function resizeTo({ to, filter }: ResizeStep): ResizePlan {
  switch (to.kind) {
    case 'exact':
      return { fit: 'fill', width: to.width, height: to.height, filter };
    case 'shortestEdge':
      return { fit: 'shortestEdge', shortestEdge: to.shortestEdge, filter };
    case 'shortestAndLongestEdge':
      return { fit: 'shortestEdge', shortestEdge: to.shortestEdge, longestEdge: to.longestEdge, filter };
    case 'within':
      return { fit: 'within', maxWidth: to.maxWidth, maxHeight: to.maxHeight, filter };
  }
}
