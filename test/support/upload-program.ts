import { openObjectStorage } from '../../src/object-storage/object-storage.ts';
import { longFile, partBytes } from './long-file.ts';

/* Writes a file in parts to an S3 server, for tests that kill it meanwhile: ENDPOINT BUCKET KEY. */

const [, , endpoint = '', bucket = '', key = ''] = process.argv;
const storage = openObjectStorage({ endpoint, forcePathStyle: true, partBytes });
const type = { contentType: 'application/x-tar' };
await storage.putIfAbsent({ bucket, key }, longFile(), type, AbortSignal.timeout(60_000));
