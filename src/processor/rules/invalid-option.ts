import { Failure } from '../../failures.ts';

/** The failure OPTION_INVALID for one option of a request. */
export function invalidOption(option: string, actual: string | number, allowed: string): Failure {
  return new Failure('OPTION_INVALID', `${option} is ${actual}; allowed: ${allowed}.`, {
    option,
    actual,
    allowed,
  });
}
