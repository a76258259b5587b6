import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { type ProcessRequest, ProcessRequestSchema } from '../../gen/image/v1/processor_pb.ts';
import type { Plan } from '../../src/processor/image/plan.ts';
import { createPresets } from '../../src/processor/presets/presets.ts';
import { planOf } from '../../src/processor/rules/rules.ts';
import { failureOf } from './failure.ts';

const presets = createPresets({});

export type Request = Exclude<MessageInitShape<typeof ProcessRequestSchema>, ProcessRequest>;

/** The plan of a request, with the shipped presets. */
export function plan(request: Request, maxOutputPixels = 1_000_000): Plan {
  return planOf(create(ProcessRequestSchema, request), maxOutputPixels, presets);
}

/** The failure of a refused request. */
export function refusal(request: Request, maxOutputPixels?: number) {
  const failure = failureOf(() => plan(request, maxOutputPixels));
  if (failure === undefined) throw new Error('nothing was refused');
  return { reason: failure.reason, metadata: failure.metadata };
}

/** The refusal of an option's value. */
export const invalid = (option: string, actual: string, allowed: string) => ({
  reason: 'OPTION_INVALID',
  metadata: { option, actual, allowed },
});
