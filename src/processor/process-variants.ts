import { create } from '@bufbuild/protobuf';
import {
  type ProcessVariantsRequest,
  type ProcessVariantsResponse,
  ProcessVariantsResponseSchema,
} from '../../gen/image/v1/processor_pb.ts';
import { Failure, withIndex } from '../failures.ts';
import { maxVariants } from '../options/image-options.ts';
import type { Caller } from './call.ts';
import type { Plan } from './image/plan.ts';
import { type Outcome, resultOf } from './outcome.ts';
import { type ImageProcessing, processPlans, wantedSource } from './process-image.ts';
import { planOf } from './rules/rules.ts';
import type { WantedSource } from './source/read-source.ts';

/**
 * Processes one image to several outputs. Each is cached as if requested separately; missing ones share one decoding.
 *
 * @throws what a variant's failure throws, with the variant's index; OPTION_INVALID for none or too many, and for a
 *   variant that has a source of its own; OUTPUT_PIXELS_OVER_LIMIT
 */
export async function processVariants(
  request: ProcessVariantsRequest,
  processing: ImageProcessing,
  caller: Caller,
): Promise<ProcessVariantsResponse> {
  const plans = planVariants(request, processing);
  const stores = request.variants.map(({ store }) => store);
  const outcomes = await processPlans(sourceOfVariants(request), plans, processing, caller, stores);
  return create(ProcessVariantsResponseSchema, { variants: outcomes.map(resultOfVariant) });
}

/**
 * The plans of all variants.
 *
 * @throws Failure OPTION_INVALID, with the variant's index, and what `planOf` throws
 */
export function planVariants(
  { variants }: ProcessVariantsRequest,
  { presets, limits }: ImageProcessing,
): readonly Plan[] {
  if (variants.length === 0 || variants.length > maxVariants) {
    throw new Failure(
      'OPTION_INVALID',
      `The request has ${variants.length} variants; it takes 1 to ${maxVariants}.`,
      { option: 'variants', limit: maxVariants, actual: variants.length },
    );
  }
  return variants.map((variant, index) =>
    withIndex(`Variant ${index}`, index, () => {
      if (variant.source.case !== undefined) throw ownSource();
      return planOf(variant, limits.maxOutputPixels, presets);
    }),
  );
}

/** The source of all variants. It is refused for an opt-out if one of them honours opt-outs. */
export function sourceOfVariants({ source, variants }: ProcessVariantsRequest): WantedSource {
  return wantedSource({ source, honourOptOuts: variants.some((variant) => variant.honourOptOuts) });
}

/** @throws the failure of a variant, with its index */
export function resultOfVariant<T>(outcome: Outcome<T>, index: number): T {
  return withIndex(`Variant ${index}`, index, () => resultOf(outcome));
}

function ownSource(): Failure {
  return new Failure('OPTION_INVALID', 'it has a source; there is one for all of them.', {
    option: 'source',
    allowed: 'unset',
  });
}
