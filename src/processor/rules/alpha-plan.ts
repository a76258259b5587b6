import type { ProcessRequest } from '../../../gen/image/v1/processor_pb.ts';
import type { AlphaPlan, Plan } from '../image/plan.ts';
import { alphaNames, enumName, orientationNames } from './enum-names.ts';

/**
 * The parts of a plan that requests with and without a preset choose in the same way.
 *
 * @param byDefault - the treatment of transparency that the request does not choose
 * @throws OPTION_INVALID
 */
export function alphaAndOrientation(
  request: ProcessRequest,
  byDefault: AlphaPlan,
): Pick<Plan, 'alpha' | 'orientation'> {
  const alpha = enumName('alpha', request.alpha, alphaNames);
  const orientation = enumName('orientation', request.orientation, orientationNames);
  return {
    alpha: alpha === 'default' ? byDefault : alphaPlans[alpha],
    ...(orientation === 'ignore' && { orientation }),
  };
}

const alphaPlans = { drop: 'dropped', white: [255, 255, 255], black: [0, 0, 0] } as const;
