import type { ProcessRequest } from '../../../gen/image/v1/processor_pb.ts';
import { findClash, messageClashFailure } from '../../options/clash.ts';
import { fastFilters } from '../../options/image-options.ts';
import { messageDefaults, optionsOfMessage } from '../../options/image-request.ts';
import { invalidOption } from '../../options/invalid-option.ts';
import type { Plan } from '../image/plan.ts';

/**
 * Checks that the options of a request may be combined (src/options/combinations.ts).
 *
 * @throws OPTION_INVALID
 */
export function checkCombinations(request: ProcessRequest): void {
  const clash = findClash(optionsOfMessage(request), messageDefaults);
  if (clash !== undefined) throw messageClashFailure(clash);
}

/**
 * Checks the filters of a plan, which may be a preset's: `fast` numerics do not support all filters.
 *
 * @throws OPTION_INVALID
 */
export function checkFilter({ numerics, steps }: Plan): void {
  if (numerics !== 'fast') return;
  for (const step of steps) {
    if (step.kind !== 'resize' || fastFilters.some((filter) => filter === step.filter)) continue;
    throw invalidOption('filter', step.filter, `one of ${fastFilters.join(', ')} with fast numerics`);
  }
}
