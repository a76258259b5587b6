import { Failure } from '../../failures.ts';
import { bytes } from '../page/figures.ts';

/**
 * Refuses a file that the service would refuse, before it is sent.
 *
 * @param maxBytes - the longest image that the service takes; undefined if that is unknown
 * @throws Failure SOURCE_BYTES_OVER_LIMIT
 */
export function checkLength({ name, size }: File, maxBytes: number | undefined): void {
  if (maxBytes === undefined || size <= maxBytes) return;
  throw new Failure(
    'SOURCE_BYTES_OVER_LIMIT',
    `${name} has ${bytes(size)}; this service takes at most ${bytes(maxBytes)}. It was not sent. Save it smaller, or ask the operator of the service for a larger MAX_UPLOAD_BYTES.`,
    { limit: maxBytes, actual: size },
  );
}
