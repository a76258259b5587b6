import type { Pixels } from '../../src/processor/image/pixels.ts';
import type { TensorPlan } from '../../src/processor/image/plan.ts';
import { sizesOfPicture, tensors } from '../../src/processor/image/tensor.ts';

/** The tensors of one picture that is its own source. */
export function tensor(picture: Pixels, plan: TensorPlan) {
  return tensors([picture], sizesOfPicture(picture, picture), plan);
}
