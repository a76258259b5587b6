import { create } from '@bufbuild/protobuf';
import {
  type ProcessVariantsRequest,
  type ProcessVariantsResponse,
  ProcessVariantsResponseSchema,
} from '../../gen/image/v1/processor_pb.ts';
import { Failure, withIndex } from '../failures.ts';
import { maxVariants } from '../options/image-options.ts';
import type { Caller } from './call.ts';
import { resultOf } from './outcome.ts';
import { type ImageProcessing, processPlans } from './process-image.ts';
import { planOf } from './rules/rules.ts';

/**
 * Makes several responses of one image. Each is cached as it would be by itself; the missing ones cost one decoding.
 *
 * @throws what a variant's failure throws, with the variant's index; OPTION_INVALID for none or too many, and for a
 *   variant that has a source of its own; OUTPUT_PIXELS_OVER_LIMIT
 */
export async function processVariants(
  { source, variants }: ProcessVariantsRequest,
  processing: ImageProcessing,
  caller: Caller,
): Promise<ProcessVariantsResponse> {
  const { presets, limits } = processing;
  if (variants.length === 0 || variants.length > maxVariants) {
    throw new Failure(
      'OPTION_INVALID',
      `The request has ${variants.length} variants; it takes 1 to ${maxVariants}.`,
      { option: 'variants', limit: maxVariants, actual: variants.length },
    );
  }
  const plans = variants.map((variant, index) =>
    withIndex(`Variant ${index}`, index, () => {
      if (variant.source.case !== undefined) throw ownSource();
      return planOf(variant, limits.maxOutputPixels, presets);
    }),
  );
  const outcomes = await processPlans(source, plans, processing, caller);
  return create(ProcessVariantsResponseSchema, {
    variants: outcomes.map((outcome, index) => withIndex(`Variant ${index}`, index, () => resultOf(outcome))),
  });
}

function ownSource(): Failure {
  return new Failure('OPTION_INVALID', 'it has a source; there is one for all of them.', {
    option: 'source',
    allowed: 'unset',
  });
}
