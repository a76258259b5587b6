import { describe, expect, it } from 'vitest';
import { manifestText, parseManifest, withJob } from '../../../src/client/corpus/manifest.ts';

const plan = {
  format: 'webdataset',
  output: { kind: 'image' },
  words: '10 × 10',
  request: { resize: { width: 10, height: 10 } },
  numericsVersion: 'exact-1',
  columns: [{ name: 'caption', type: 'string' }],
  rows: 3,
  shards: [
    { first: 0, count: 2, rowsSha256: 'a'.repeat(64) },
    { first: 2, count: 1, rowsSha256: 'b'.repeat(64) },
  ],
} as const;

describe(parseManifest, () => {
  const manifest = withJob(structuredClone(plan) as unknown as Parameters<typeof withJob>[0]);
  const text = manifestText(manifest);

  it('reads what was written', () => {
    expect(parseManifest(text, 'manifest.json')).toEqual(manifest);
    expect(manifest.job).toMatch(/^[0-9a-f]{64}$/);
  });

  it('gives another job to other rows, options or numerics', () => {
    const jobOf = (change: object) => withJob({ ...manifest, ...change }).job;
    expect(jobOf({})).toBe(manifest.job);
    const others = [
      { numericsVersion: 'exact-2' },
      { request: { resize: { width: 10, height: 11 } } },
      { shards: [{ ...manifest.shards[0], rowsSha256: 'c'.repeat(64) }, manifest.shards[1]] },
      { format: 'parquet' },
    ].map(jobOf);
    expect(new Set([manifest.job, ...others]).size).toBe(5);
  });

  it('refuses another version, and names both', () => {
    const other = text.replace('"version": 1', '"version": 2');
    expect(() => parseManifest(other, 'manifest.json')).toThrow(
      /"manifest.json" has version 2; this image-client reads version 1/,
    );
  });

  it('refuses a changed manifest', () => {
    expect(() => parseManifest(text.replace('"rows": 3', '"rows": 4'), 'manifest.json')).toThrow(
      /its job is not the SHA-256 of its content/,
    );
    expect(() => parseManifest(text.slice(0, 40), 'manifest.json')).toThrow(/is not a corpus' manifest/);
  });
});
