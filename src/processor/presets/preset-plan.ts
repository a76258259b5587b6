import type { Library } from '../image/kernels/kernels.ts';
import type { Plan, TensorPlan } from '../image/plan.ts';
import type { VllmPlan, VllmRefusal } from '../image/vllm-plan.ts';

/**
 * A model's preprocessing of one image, in plain values: equal plans give equal tensors. The steps run on uint8
 * pixels, then the tensor's values are computed.
 */
export interface PresetPlan
  extends Pick<Plan, 'alpha' | 'steps' | 'views' | 'unreadableHeights' | 'decisions'> {
  readonly tensor: Omit<TensorPlan, 'kind' | 'container' | 'vllm'> & {
    /** How vLLM takes the tensors, or why it does not. Unset: it is not known. */
    readonly vllm?: VllmPlan | VllmRefusal | undefined;
  };
}

/** transformers' convert_to_rgb draws transparent images over white. */
export const onWhite = [255, 255, 255] as const;

/** The part of a resize that names its library. Pillow is the one of a resize without a name. */
export function resamplingBy(library: 'pillow' | Library): { readonly library?: Library } {
  return library === 'pillow' ? {} : { library };
}
