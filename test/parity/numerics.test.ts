import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { kernels } from '../../src/processor/image/kernels/kernels.ts';
import { libraryLuma } from '../../src/processor/image/kernels/library-luma.ts';
import { type OpenCvTarget, resampleAsOpenCv } from '../../src/processor/image/kernels/opencv.ts';
import { resampleAsTorch, type TorchTarget } from '../../src/processor/image/kernels/torch.ts';
import type { Pixels } from '../../src/processor/image/pixels.ts';
import { resizedSize } from '../../src/processor/image/resized-size.ts';
import { noise } from '../processor/image/kernels/noise.ts';

interface Goldens {
  readonly version: string;
  /** Of the gray of all 2²⁴ colours, from black on, blue fastest. */
  readonly grayOfEveryColour: string;
  /** By geometry, of `fit=cover` by bilinear, 3 channels. */
  readonly covered: Readonly<Record<string, string>>;
  /** By geometry and filter, of the results for 1, 3 and 4 channels, each with both patterns. */
  readonly resized: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

type Library = 'torch' | 'opencv';

// Made by make_numerics_goldens.py beside it.
const goldens: Record<Library, Goldens> = JSON.parse(
  readFileSync(new URL('numerics-goldens.json', import.meta.url), 'utf8'),
);

const channels = [1, 3, 4] as const;
const patterns = ['bytes', 'extremes'] as const;

function resample(library: Library, source: Pixels, target: object): Pixels {
  if (library === 'torch') return resampleAsTorch(source, 1, target as TorchTarget);
  return resampleAsOpenCv(source, 1, target as OpenCvTarget);
}

/** "301x227 of 37,0,264,227 to 224x224" */
function geometryOf(text: string) {
  const [source = '', to = ''] = text.split(' to ');
  const [size = '', part] = source.split(' of ');
  const [left = 0, top = 0, right = 0, bottom = 0] = part?.split(',').map(Number) ?? [];
  const [width = 0, height = 0] = to.split('x').map(Number);
  return {
    size: size.split('x').map(Number) as [width: number, height: number],
    target: { width, height, part: part === undefined ? undefined : { left, top, right, bottom } },
  };
}

function hash(...parts: readonly Uint8Array[]): string {
  const sha256 = createHash('sha256');
  for (const part of parts) sha256.update(part);
  return sha256.digest('hex').slice(0, 16);
}

describe.each(['torch', 'opencv'] as const)('numerics of %s', (library) => {
  const { version, resized, covered, grayOfEveryColour } = goldens[library];

  it.each(Object.entries(resized))(`gives the bytes of ${version}: %s`, (geometry, expected) => {
    const { size, target } = geometryOf(geometry);
    const hashes = Object.keys(expected).map((filter) => {
      const results = channels.flatMap((count) =>
        patterns.map(
          (pattern) => resample(library, noise(...size, count, pattern), { ...target, filter }).data,
        ),
      );
      return [filter, hash(...results)];
    });
    expect(Object.fromEntries(hashes)).toEqual(expected);
  });

  it.each(Object.entries(covered))(`crops to whole pixels for fit=cover: %s`, (geometry, expected) => {
    const { size, target } = geometryOf(geometry);
    const [width, height] = size;
    const step = { kind: 'resize', fit: 'cover', filter: 'bilinear', ...target } as const;
    const place = { ...resizedSize({ width, height }, step), filter: step.filter };
    const { data } = kernels[library].resample(noise(width, height, 3), 1, place);
    expect(hash(data)).toBe(expected);
  });

  it(`gives the gray of ${version} for every colour`, () => {
    const data = new Uint8Array(2 ** 16 * 3);
    for (let pixel = 0; pixel < 2 ** 16; pixel++) {
      data[3 * pixel + 1] = pixel >> 8;
      data[3 * pixel + 2] = pixel & 255;
    }
    const grays = Array.from({ length: 256 }, (_, red) => {
      for (let at = 0; at < data.length; at += 3) data[at] = red;
      return libraryLuma({ data, width: 256, height: 256, channels: 3 }, library).data;
    });
    expect(hash(...grays)).toBe(grayOfEveryColour);
  });
});
