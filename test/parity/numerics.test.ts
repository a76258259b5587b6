import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { libraryLuma } from '../../src/processor/image/kernels/library-luma.ts';
import { type OpenCvTarget, resampleAsOpenCv } from '../../src/processor/image/kernels/opencv.ts';
import { resampleAsTorch, type TorchTarget } from '../../src/processor/image/kernels/torch.ts';
import type { Pixels } from '../../src/processor/image/pixels.ts';
import { noise } from '../processor/image/kernels/noise.ts';

interface Goldens {
  readonly version: string;
  /** Of the gray of all 2²⁴ colours, from black on, blue fastest. */
  readonly grayOfEveryColour: string;
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

describe.each(['torch', 'opencv'] as const)('numerics of %s', (library) => {
  const { version, resized, grayOfEveryColour } = goldens[library];

  it.each(Object.entries(resized))(`gives the bytes of ${version}: %s`, (geometry, expected) => {
    const { size, target } = geometryOf(geometry);
    const hashes = Object.keys(expected).map((filter) => {
      const hash = createHash('sha256');
      for (const count of channels) {
        for (const pattern of patterns) {
          hash.update(resample(library, noise(...size, count, pattern), { ...target, filter }).data);
        }
      }
      return [filter, hash.digest('hex').slice(0, 16)];
    });
    expect(Object.fromEntries(hashes)).toEqual(expected);
  });

  it(`gives the gray of ${version} for every colour`, () => {
    const hash = createHash('sha256');
    const data = new Uint8Array(2 ** 16 * 3);
    for (let pixel = 0; pixel < 2 ** 16; pixel++) {
      data[3 * pixel + 1] = pixel >> 8;
      data[3 * pixel + 2] = pixel & 255;
    }
    for (let red = 0; red < 256; red++) {
      for (let at = 0; at < data.length; at += 3) data[at] = red;
      hash.update(libraryLuma({ data, width: 256, height: 256, channels: 3 }, library).data);
    }
    expect(hash.digest('hex').slice(0, 16)).toBe(grayOfEveryColour);
  });
});
