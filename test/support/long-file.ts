import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { FileBody } from '../../src/object-storage/put-body.ts';

/** S3's least length of a part, except the last. */
export const partBytes = 5 * 2 ** 20;

/** Bytes of three parts, the last of them shorter. */
export const longContent = Buffer.alloc(2.5 * partBytes, 'a file of three parts ');

/** A file of `longContent`. */
export function longFile(): FileBody {
  return {
    bytes: longContent.length,
    sha256: createHash('sha256').update(longContent).digest(),
    open: (start, end) => Readable.from([longContent.subarray(start, end)], { objectMode: false }),
  };
}
