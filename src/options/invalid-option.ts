import { Failure } from '../failures.ts';
import { shortened } from '../shortened.ts';

/**
 * The failure of an option's value.
 *
 * @param option - its name, in the words of the interface that it came through
 * @param allowed - what is allowed instead, in words that follow "allowed: "
 */
export function invalidOption(
  option: string,
  actual: string | number,
  allowed: string,
  message = `${option} is ${shortened(String(actual))}; allowed: ${allowed}.`,
): Failure {
  return new Failure('OPTION_INVALID', message, { option, actual: shortened(String(actual)), allowed });
}
