import { PageBox, type SourceOptions } from '../../../gen/image/v1/processor_pb.ts';
import { dpiLimits } from '../../options/image-options.ts';
import { invalidOption } from '../../options/invalid-option.ts';
import { defaultSource } from '../image/default-source.ts';
import type { SourcePlan } from '../image/plan.ts';
import { enumName, pageBoxNames } from './enum-names.ts';

/**
 * Checks the options for reading a source and fills in their defaults. Whether the source has pages is not known yet:
 * codecs/check-source.ts refuses them for a picture.
 *
 * @param options - unset: the defaults
 * @throws Failure OPTION_INVALID
 */
export function sourcePlan(options: SourceOptions | undefined): SourcePlan {
  const { page = 0, dpi = 0, pageBox = PageBox.UNSPECIFIED, annotations, password = '' } = options ?? {};
  // Negated, so that NaN is refused.
  if (dpi !== 0 && !(dpi >= dpiLimits.min && dpi <= dpiLimits.max)) {
    throw invalidOption('source_options.dpi', dpi, `${dpiLimits.min} to ${dpiLimits.max}`);
  }
  return {
    page: page || defaultSource.page,
    dpi: dpi || defaultSource.dpi,
    pageBox: enumName('source_options.page_box', pageBox, pageBoxNames),
    annotations: annotations ?? defaultSource.annotations,
    password,
  };
}
