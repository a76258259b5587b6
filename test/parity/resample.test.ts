import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Box, type PillowVersion, resample } from '../../src/processor/image/kernels/resample.ts';
import type { FilterName } from '../../src/processor/image/kernels/weights.ts';
import { noise } from '../processor/image/kernels/noise.ts';

interface Goldens {
  readonly versions: Readonly<Record<string, string>>;
  readonly cases: readonly {
    readonly source: readonly [width: number, height: number];
    readonly channels: 1 | 2 | 3 | 4;
    readonly pattern: 'bytes' | 'extremes';
    readonly filter: FilterName;
    readonly size: readonly [width: number, height: number];
    readonly box?: Box;
    /** By version of Pillow, the first 16 digits. */
    readonly sha256: Readonly<Record<PillowVersion, string>>;
  }[];
}

// Made by make_resample_goldens.py beside it.
const { versions, cases }: Goldens = JSON.parse(
  readFileSync(new URL('resample-goldens.json', import.meta.url), 'utf8'),
);

describe.each(['12.1', '12.3', '13.0'] as const)('resample as Pillow %s', (pillow) => {
  const geometries = Map.groupBy(cases, ({ source, size, box }) => {
    const part = box === undefined ? '' : ` of its part ${box.join(', ')}`;
    return `${source.join(' × ')} to ${size.join(' × ')}${part}`;
  });

  it.each([...geometries])(`gives the bytes of ${versions[pillow]}: %s`, (_, group) => {
    const differing = group.filter(({ source, channels, pattern, filter, size, box, sha256 }) => {
      const { data } = resample(noise(...source, channels, pattern), ...size, filter, box, pillow);
      return createHash('sha256').update(data).digest('hex').slice(0, 16) !== sha256[pillow];
    });
    expect(differing).toEqual([]);
  });
});
