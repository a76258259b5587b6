import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Manifest } from '../../../../src/client/corpus/manifest.ts';
import type { Sample } from '../../../../src/client/corpus/shards/shard-format.ts';
import { shardFormat } from '../../../../src/client/corpus/shards/shard-formats.ts';
import { manifestOf, sampleOf, tensorOutput, tensorSamples } from './samples.ts';

const images = [0, 1].map((row) => sampleOf(row, 'image/jpeg', Buffer.from(`jpeg ${row}`)));
const image: Manifest['output'] = { kind: 'image' };
const onlyPixels: Manifest['output'] = {
  kind: 'tensors',
  tensors: [{ name: 'pixel_values', datatype: 'FP32', shape: [2, 3] }],
};

async function bytesOf(format: Manifest['format'], output: Manifest['output'], samples: readonly Sample[]) {
  const chunks: Uint8Array[] = [];
  for await (const chunk of (await shardFormat(format)).write(samples, manifestOf(format, output)))
    chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe(shardFormat, () => {
  // A job promises equal bytes to every worker. Where these digests change on purpose, raise manifestVersion.
  it.each([
    ['webdataset', image, images, '34d9fb7e8e3a35fa'],
    ['webdataset', tensorOutput(true), tensorSamples(true), '4827eb0cb18c7fc4'],
    ['parquet', image, images, '4e26d40ec8577a77'],
    ['parquet', tensorOutput(false), tensorSamples(false), '4dd777c9323df873'],
    ['safetensors', tensorOutput(true), tensorSamples(true), '10601272b02062f8'],
    ['safetensors', tensorOutput(false), tensorSamples(false), '3d82d94c3557c8ac'],
    ['npy', onlyPixels, tensorSamples(true), 'da218ddc858d5ee9'],
  ] as const)('writes the same bytes as ever: %s of %j', async (format, output, samples, digest) => {
    const bytes = await bytesOf(format, output, samples);
    expect(createHash('sha256').update(bytes).digest('hex').slice(0, 16)).toBe(digest);
  });
});
