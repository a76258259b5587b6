import type { Plan, TensorPlan } from '../image/plan.ts';

/**
 * A model's preprocessing of one image, in plain values: equal plans give equal tensors. The steps run on uint8
 * pixels, then the tensor's values are computed.
 */
export interface PresetPlan extends Pick<Plan, 'alpha' | 'steps' | 'views' | 'decisions'> {
  readonly tensor: Omit<TensorPlan, 'kind' | 'container'>;
}

/** transformers' convert_to_rgb draws transparent images over white. */
export const onWhite = [255, 255, 255] as const;
