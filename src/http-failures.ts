import { Failure } from './failures.ts';

/** The failure of an `Expect` that is not `100-continue` (RFC 9110, 10.1.1). */
export function unsupportedExpectation(expectation: string | undefined): Failure {
  const actual = (expectation ?? '').slice(0, 100);
  return new Failure(
    'EXPECTATION_UNSUPPORTED',
    `The expectation "${actual}" is not supported; leave out Expect, or send 100-continue.`,
    { actual, allowed: '100-continue' },
  );
}
