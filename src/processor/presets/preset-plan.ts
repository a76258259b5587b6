import type { CropOrigin, Filter, TensorPlan } from '../image/plan.ts';

/**
 * What a model's preprocessor does to one image, in plain values: equal plans mean equal tensors. The steps
 * run in their order on uint8 pixels, then come the tensor's values. There is at most one resize, and after it
 * at most one crop.
 */
export interface PresetPlan {
  /**
   * What becomes of transparency before the first step. `onWhite`: laid on white, as transformers'
   * convert_to_rgb does. `dropped`: taken away, as Pillow's `convert("RGB")` does, which callers of the other
   * preprocessors have to do themselves.
   */
  readonly alpha: 'onWhite' | 'dropped';
  readonly steps: readonly PresetStep[];
  readonly tensor: Omit<TensorPlan, 'kind' | 'container'>;
}

export type PresetStep = ResizeStep | CenterCropStep;

export interface ResizeStep {
  readonly kind: 'resize';
  readonly to: ResizeTarget;
  readonly filter: Filter;
}

/** All in pixels; image/shortest-edge.ts says how the last three are rounded. */
export type ResizeTarget =
  | { readonly kind: 'exact'; readonly width: number; readonly height: number }
  | { readonly kind: 'shortestEdge'; readonly shortestEdge: number }
  | {
      readonly kind: 'shortestAndLongestEdge';
      readonly shortestEdge: number;
      readonly longestEdge: number;
    }
  | { readonly kind: 'within'; readonly maxWidth: number; readonly maxHeight: number };

/** What sticks out is cut off, what is missing is black. */
export interface CenterCropStep {
  readonly kind: 'centerCrop';
  /** Pixels. */
  readonly width: number;
  /** Pixels. */
  readonly height: number;
  readonly origin: CropOrigin;
}
