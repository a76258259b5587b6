import type { ProcessRequest } from '../../../gen/image/v1/processor_pb.ts';
import type { Plan, TensorPlan } from '../image/plan.ts';
import type { Presets } from '../presets/presets.ts';
import { stepsInWords } from '../presets/steps-in-words.ts';

/** The steps that give the expected tensor. */
export function expectedInWords({ alpha, steps, views, decisions, output }: Plan): string[] {
  return stepsInWords({ alpha, steps, views, decisions, tensor: output as TensorPlan });
}

/** Lines of Python that make the expected tensor; empty without a preset that has a name. */
export function pythonOf({ preset }: ProcessRequest, presets: Presets): string {
  return preset === '' ? '' : presets.find(preset).python();
}
