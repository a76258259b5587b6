import { describe, expect, it } from 'vitest';
import {
  containerMemory,
  documentMemory,
  restingMemory,
  workMemory,
} from '../../../src/processor/admission/work-memory.ts';
import { readProcessorConfig } from '../../../src/processor/config.ts';

const config = readProcessorConfig({
  WORKERS: '3',
  CACHE_MAX_BYTES: '100000000',
  MAX_HELD_BYTES: '50000000',
  MAX_DOWNLOADS: '7',
  MAX_SOURCE_BYTES: '10000000',
});

describe(restingMemory, () => {
  it('adds up the server, the workers for pixels and one more, cache, calls and downloads', () => {
    expect(restingMemory(config)).toBe(150e6 + 4 * 250e6 + 100e6 + 50e6 + 7 * 10e6);
  });
});

describe('object storage', () => {
  it('takes the memory of its library, and of the objects that wait', () => {
    const none = restingMemory(config);
    const SOURCE_BUCKETS = [{ bucket: 'photos', prefix: '' }];
    const STORE_URL = { bucket: 'kept', prefix: '' };
    expect(restingMemory({ ...config, SOURCE_BUCKETS }) - none).toBe(40_000_000);
    expect(restingMemory({ ...config, STORE_URL, MAX_STORE_QUEUE_BYTES: 7 }) - none).toBe(40_000_007);
  });
});

describe(workMemory, () => {
  it('is the remaining memory for images', () => {
    expect(workMemory(config, 2_000_000_000)).toBe(630_000_000);
  });

  it('is enough for a photograph on the smallest machine', () => {
    expect(workMemory(config, 500_000_000)).toBe(256_000_000);
  });

  it('is the configured value, if there is one', () => {
    expect(workMemory({ ...config, MAX_WORK_BYTES: 1 }, 2_000_000_000)).toBe(1);
  });
});

describe(containerMemory, () => {
  it('adds the workers for documents, with what they keep', () => {
    const given = { ...config, MAX_WORK_BYTES: 7, DOCUMENT_WORKERS: 2 };
    expect(containerMemory(given) - restingMemory(given)).toBe(2 * (250e6 + 128 * 2 ** 20) + 7);
  });
});

describe(documentMemory, () => {
  it('is half of the memory for images, but enough for pages', () => {
    expect(documentMemory(2_000_000_000)).toBe(1_000_000_000);
    expect(documentMemory(300_000_000)).toBe(256_000_000);
  });
});
