import * as z from 'zod';
import { type ObjectStorage, openObjectStorage } from '../../../object-storage/object-storage.ts';
import { usage } from '../../flags.ts';

/**
 * The object storage of the client's environment. Credentials and region come from the SDK's own chain.
 *
 * @throws ClientError of bad usage
 */
export function clientStorage({
  S3_ENDPOINT,
  S3_FORCE_PATH_STYLE,
}: Readonly<Record<string, string | undefined>>): ObjectStorage {
  const endpoint = S3_ENDPOINT || undefined;
  if (endpoint !== undefined && !z.url({ protocol: /^https?$/ }).safeParse(endpoint).success) {
    throw usage(`S3_ENDPOINT is "${endpoint}"; allowed: an http:// or https:// URL.`);
  }
  return openObjectStorage({ endpoint, forcePathStyle: S3_FORCE_PATH_STYLE === 'true' });
}
