import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Cutout, wholeOf } from '../../src/processor/image/cutout.ts';
import type { Levels, ResampledFile } from '../../src/processor/skew/lattice/hypothesis.ts';
import { resamplers } from '../../src/processor/skew/lattice/resamplers.ts';
import { noise } from '../processor/image/kernels/noise.ts';

// Made by make_resampler_goldens.py beside it.
const goldens: {
  readonly versions: readonly string[];
  readonly hashes: Record<string, Record<string, string>>;
} = JSON.parse(readFileSync(new URL('resampler-goldens.json', import.meta.url), 'utf8'));

const noFile = { header: { width: 0, height: 0 }, decoding: {}, turn: { orientation: 1 } } as ResampledFile;

/** "301x227 to 97x61" */
function geometryOf(text: string) {
  const [source = [], size = []] = text.split(' to ').map((sides) => sides.split('x').map(Number));
  const [width = 0, height = 0] = source;
  const [toWidth = 0, toHeight = 0] = size;
  return {
    source: noise(width, height, 3),
    framing: { box: [0, 0, width, height], resized: { width: toWidth, height: toHeight } } as const,
  };
}

function hash({ data }: Pick<Levels, 'data'>): string {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return createHash('sha256').update(bytes).digest('hex').slice(0, 16);
}

function cutOf(
  { data, width, channels }: Levels,
  { left, top, right, bottom }: Cutout,
): Pick<Levels, 'data'> {
  const rows = Array.from({ length: bottom - top }, (_, y) => {
    const from = (top + y) * width;
    return Array.from(data.subarray((from + left) * channels, (from + right) * channels));
  });
  const like = data.constructor as Float64ArrayConstructor;
  return { data: like.from(rows.flat()) };
}

describe(`resamplers of ${goldens.versions.join(', ')}`, () => {
  const named = Object.entries(goldens.hashes);

  it('has a golden for every resampler but those that run the library itself', () => {
    const proved = new Set(named.flatMap(([, hashes]) => Object.keys(hashes)));
    const ids = resamplers
      .map(({ id }) => id)
      .filter((id) => !/^(sharp|transformers\.js|pillow thumbnail)/.test(id));
    expect(ids.filter((id) => !proved.has(id))).toEqual([]);
  });

  it.each(named)('gives the values of the libraries: %s', async (geometry, expected) => {
    const { source, framing } = geometryOf(geometry);
    const found: Record<string, string> = {};
    for (const id of Object.keys(expected)) {
      const resampler = resamplers.find((row) => row.id === id);
      const whole = await resampler?.run(source, framing, wholeOf(framing.resized), noFile);
      found[id] = whole === undefined ? 'none' : hash(whole);
    }
    // A row that does not apply has the values of another one.
    const applying = Object.entries(expected).filter(([id]) => found[id] !== 'none');
    expect(found).toMatchObject(Object.fromEntries(applying));
    expect(applying.length).toBeGreaterThan(30);
  });

  it.each(named)('gives a cutout the values of the whole: %s', async (geometry) => {
    const { source, framing } = geometryOf(geometry);
    const { width, height } = framing.resized;
    const cutout = { left: 7, top: 5, right: Math.min(width, 23), bottom: Math.min(height, 19) };
    for (const { id, run } of resamplers) {
      const whole = await run(source, framing, wholeOf(framing.resized), noFile);
      const part = await run(source, framing, cutout, noFile);
      expect(part && hash(part), id).toBe(whole && hash(cutOf(whole, cutout)));
    }
  });
});
