import { decodeWhole } from '../../codecs/decode.ts';
import { outOfScratch } from '../../workers/scratch.ts';
import type { GivenFile } from '../skew-job.ts';
import type { GivenTensor } from './given-tensor.ts';

/**
 * Reads an encoded picture, as stored.
 *
 * @returns [height, width, 1 | 3 | 4] UINT8
 * @throws IMAGE_CORRUPT, OVERLOADED
 */
export async function readPicture({
  content,
  header,
}: Extract<GivenFile, { kind: 'picture' }>): Promise<GivenTensor> {
  const { data, width, height, channels } = await decodeWhole(content, header);
  return {
    name: 'picture',
    datatype: 'UINT8',
    shape: [height, width, channels],
    values: new Uint8Array(outOfScratch(data)),
  };
}
