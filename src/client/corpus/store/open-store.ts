import { isObjectUrl } from '../../../object-storage/object-address.ts';
import { usage } from '../../flags.ts';
import { openBucket } from './bucket-store.ts';
import type { CorpusStore } from './corpus-store.ts';
import { openFolder } from './folder-store.ts';

/**
 * Opens a store.
 *
 * @param url - a path, a `file://` URL or an `s3://` URL
 * @param patienceMs - how long a storage that is away or full is tried again, in milliseconds
 * @throws ClientError of bad usage
 */
export function openStore(
  url: string,
  environment: Readonly<Record<string, string | undefined>>,
  patienceMs: number,
): CorpusStore {
  if (isObjectUrl(url)) return openBucket(url, environment, patienceMs);
  if (/^file:/i.test(url) || !/^[a-z][a-z0-9+.-]*:\/\//i.test(url)) return openFolder(url);
  throw usage(`--out is "${url}"; allowed: a path, a file:// URL, or s3://bucket/prefix.`);
}
