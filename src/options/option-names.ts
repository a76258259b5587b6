import { Failure } from '../failures.ts';
import { imageOptionNames, imageOptions } from './image-options.ts';
import { passwordName } from './parse-options.ts';

/** Fields of image.v1.ProcessRequest that image-api's callers know by another name. */
const optionOfField: ReadonlyMap<string, string> = new Map([
  ...imageOptionNames.map((name) => [imageOptions[name].field, name] as const),
  ['source_options.password', passwordName],
  ['preset_settings.imgsz_width', 'imgsz'],
  ['container', 'format'],
  ['output', 'format'],
]);

/**
 * A failure of the processor in the names of image-api's options: the processor names the fields of its messages, and
 * does not know which interface a request came through.
 */
export function inOptionNames(failure: Failure): Failure {
  const { reason, message, metadata, cause, isRetryable } = failure;
  const { option: field = '' } = metadata;
  const option = optionOfField.get(field);
  if (reason !== 'OPTION_INVALID' || option === undefined || option === field) return failure;
  // The message names the field first, after the number of a variant.
  const named = message.replace(field, option);
  return new Failure(reason, named, { ...metadata, option }, { cause, isRetryable });
}
