import { npyHeader } from '../../../tensor-headers.ts';
import { imageEndings } from './image-endings.ts';
import type { Sample, ShardFormat } from './shard-format.ts';
import { sidecarOf } from './sidecar.ts';
import { tarEnd, tarHeader, tarPadding } from './tar.ts';

/**
 * A tar of webdataset: for each sample `key.jpg` (or another image), or `key.NAME.npy` for each tensor, and `key.json`.
 * webdataset ends a key at the first dot of its last segment, so no key has one there.
 */
export const webdataset: ShardFormat = {
  ending: '.tar',
  contentType: 'application/x-tar',
  carriesColumns: true,
  async *write(samples, manifest) {
    for (const sample of samples) {
      yield* member(`${sample.row.id}.json`, [Buffer.from(sidecarOf(sample, manifest))]);
      const content = await sample.read();
      if (sample.tensors.length === 0) {
        yield* member(`${sample.row.id}${imageEndings(sample.contentType)}`, [content]);
      } else {
        yield* tensorMembers(sample, content);
      }
    }
    yield tarEnd;
  },
};

function* tensorMembers({ row, tensors }: Sample, content: Uint8Array): Generator<Uint8Array> {
  for (const { name, datatype, shape, offset, bytes } of tensors) {
    const values = content.subarray(offset, offset + bytes);
    yield* member(`${row.id}.${name}.npy`, [npyHeader(datatype, shape), values]);
  }
}

function* member(path: string, parts: readonly Uint8Array[]): Generator<Uint8Array> {
  const bytes = parts.reduce((sum, { length }) => sum + length, 0);
  yield tarHeader(path, bytes);
  yield* parts;
  yield tarPadding(bytes);
}
