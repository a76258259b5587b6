import { ClientError } from '../client-error.ts';
import type { Plan } from './plan.ts';
import { imagesInWords } from './summary.ts';

/** Ends a job before its outputs have two numerics versions. */
export interface NumericsWatch {
  /** @throws ClientError NUMERICS_CHANGED if a response is of another version than the outputs so far */
  check(version: string): void;
}

/**
 * Starts to watch.
 *
 * @param done - images whose outputs stay as they are
 * @param current - the version of the processor, if it is known
 * @throws ClientError NUMERICS_CHANGED if the outputs that stay are of another version
 */
export function watchNumerics(done: Plan['done'], current: string | undefined): NumericsWatch {
  let expected = current ?? done[0]?.entry.numericsVersion;
  const others = done.filter(({ entry }) => entry.numericsVersion !== expected);
  const [other] = others;
  if (other !== undefined) throw changed(imagesInWords(others.length), other.entry.numericsVersion, expected);
  return {
    check(version) {
      expected ??= version;
      if (version !== expected) throw changed('The outputs so far', expected, version);
    },
  };
}

function changed(outputs: string, before: string, now = 'another'): ClientError {
  return new ClientError(
    'mixed',
    'NUMERICS_CHANGED',
    `${outputs} of the output folder have numerics version ${before}, and the processor's is ${now}; ` +
      '--force makes all outputs again, or choose another output folder.',
  );
}
