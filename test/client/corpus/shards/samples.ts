import { type Manifest, withJob } from '../../../../src/client/corpus/manifest.ts';
import type { Sample, SampleTensor } from '../../../../src/client/corpus/shards/shard-format.ts';

/** A manifest of two rows with a carried column of each type. */
export function manifestOf(format: Manifest['format'], output: Manifest['output']): Manifest {
  return withJob({
    format,
    output,
    words: 'a test',
    request: {},
    numericsVersion: 'exact-1',
    columns: [
      { name: 'caption', type: 'string' },
      { name: 'number', type: 'int64' },
      { name: 'score', type: 'double' },
      { name: 'is_good', type: 'boolean' },
      { name: 'tags', type: 'json' },
    ],
    rows: 2,
    shards: [{ first: 0, count: 2, rowsSha256: '0'.repeat(64) }],
  });
}

/** A sample with the given content, its tensors one after another. */
export function sampleOf(
  row: number,
  contentType: string,
  content: Uint8Array,
  tensors: readonly SampleTensor[] = [],
): Sample {
  const values =
    row === 0
      ? ['eine Katze: „x“', 9_007_199_254_740_993n, 0.5, true, { a: [1] }]
      : [null, null, null, null, null];
  return {
    row: { row, id: `0000${row}`, url: `https://images.example/${row}.jpg`, values },
    bytes: content.length,
    read: async (part) =>
      part === undefined ? content : content.subarray(part.offset, part.offset + part.bytes),
    contentType,
    tensors,
    width: 3,
    height: 2,
    source: { sha256: 'ab'.repeat(32), format: 'jpeg', width: 60, height: 40, bytes: 1234 },
    key: 'cd'.repeat(32),
  };
}

/** Samples of a float tensor [2, 3] and an int64 tensor [n]; n is 1 where the shape is fixed, else 1 and 2. */
export function tensorSamples(isFixed: boolean): Sample[] {
  return [0, 1].map((row) => {
    const floats = Float32Array.from([0, 1, 2, 3, 4, 5], (value) => row + value / 4);
    const lengths = BigInt64Array.from(isFixed || row === 0 ? [7n] : [7n, 8n]);
    const content = Buffer.concat([Buffer.from(floats.buffer), Buffer.from(lengths.buffer)]);
    return sampleOf(row, 'application/vnd.safetensors', content, [
      { name: 'pixel_values', datatype: 'FP32', shape: [2, 3], offset: 0, bytes: 24 },
      { name: 'grid', datatype: 'INT64', shape: [lengths.length], offset: 24, bytes: 8 * lengths.length },
    ]);
  });
}

/** The output of `tensorSamples` in a manifest. */
export const tensorOutput = (isFixed: boolean): Manifest['output'] => ({
  kind: 'tensors',
  tensors: [
    { name: 'pixel_values', datatype: 'FP32', shape: [2, 3] },
    { name: 'grid', datatype: 'INT64', shape: [isFixed ? 1 : null] },
  ],
});
