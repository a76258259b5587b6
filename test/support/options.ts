import type { ProcessRequest } from '../../gen/image/v1/processor_pb.ts';
import type { Failure } from '../../src/failures.ts';
import { type ImageDefaults, standardDefaults } from '../../src/options/image-options.ts';
import { processRequest } from '../../src/options/image-request.ts';
import { parseOptions } from '../../src/options/parse-options.ts';

/** The processor's request for the options of a query. @param changes - of the defaults */
export function requestFor(query: string, changes: Partial<ImageDefaults> = {}): ProcessRequest {
  const { values } = parseOptions([...new URLSearchParams(query)]);
  const source = { case: 'url', value: 'https://example.com/a' } as const;
  return processRequest(source, values, { ...standardDefaults, ...changes });
}

/** The failure of the options of a query. */
export function refusal(query: string, changes: Partial<ImageDefaults> = {}): Failure {
  try {
    requestFor(query, changes);
  } catch (error) {
    return error as Failure;
  }
  throw new Error(`${query} was not refused`);
}
