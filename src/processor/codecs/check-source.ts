import { invalidOption } from '../../options/invalid-option.ts';
import { defaultSource } from '../image/default-source.ts';
import type { SourcePlan } from '../image/plan.ts';
import { codecOf } from './codecs.ts';
import type { SourceFormat } from './source-format.ts';

/** The options that only a document has, by their names in a plan and in the contract. */
const documentOptions = {
  page: 'page',
  dpi: 'dpi',
  pageBox: 'page_box',
  annotations: 'annotations',
  password: 'password',
} as const satisfies Record<keyof SourcePlan, string>;

/**
 * Refuses the options of documents for a picture: to ignore one would give other pixels than requested.
 *
 * @throws OPTION_INVALID, naming the option
 */
export function checkSource(format: SourceFormat, source: SourcePlan): void {
  const { isDocument, name } = codecOf(format);
  if (isDocument) return;
  for (const [option, contractName] of Object.entries(documentOptions)) {
    const value = source[option as keyof SourcePlan];
    const usual = defaultSource[option as keyof SourcePlan];
    if (value === usual) continue;
    // A password must not reach a message or the log.
    const [actual, allowed] =
      option === 'password' ? ['set', 'unset'] : [String(value), `unset or ${String(usual)}`];
    throw invalidOption(
      `source_options.${contractName}`,
      actual,
      `${allowed}: the image is ${name}, and only the pages of a document have this option`,
    );
  }
}
