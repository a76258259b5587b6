import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { encoded } from '../support/pictures.ts';
import { ourTensors } from './our-tensors.ts';
import { picture, type Source } from './preset-goldens.ts';

/*
 * torchvision's presets of other tasks than the classification of images, from the request to the tensors: make_torchvision_goldens.py made the
 * goldens with torchvision itself.
 */

interface Golden {
  readonly source: readonly [
    width: number,
    height: number,
    channels: Source['channels'],
    kind: Source['kind'],
  ];
  readonly shape: readonly number[];
  readonly image_sizes?: readonly number[];
  readonly original_image_sizes?: readonly number[];
  readonly samples: string;
}

const file: readonly { readonly name: string; readonly cases: readonly Golden[] }[] = JSON.parse(
  readFileSync(new URL('torchvision-goldens.json', import.meta.url), 'utf8'),
);

async function tensorsOf(preset: string, { source: [width, height, channels, kind] }: Golden) {
  const { data, ...size } = picture({ width, height, channels, kind });
  const content = await encoded({ pixels: data, ...size, channels: channels as 1 | 3 | 4 }, 'png');
  const outcome = await ourTensors({ preset }, content);
  if ('refusal' in outcome) throw outcome.refusal;
  return new Map(
    outcome.tensors.map(({ name, shape, values }) => [name, { shape, values: new Uint8Array(values) }]),
  );
}

describe("torchvision's presets of other tasks", () => {
  it.each(file)('give the values of $name', async ({ name, cases }) => {
    for (const golden of cases) {
      const tensors = await tensorsOf(name, golden);
      const isDetection = golden.image_sizes !== undefined;
      const main = tensors.get(isDetection ? 'images' : 'image');
      expect(main?.shape).toEqual(golden.shape);
      const values = new Float32Array(main?.values.buffer ?? new ArrayBuffer());
      const theirs = golden.samples.split(' ').map(Number);
      const ours = theirs.map((_, part) => values[Math.floor(((values.length - 1) * part) / 49)] as number);
      expect(ours).toEqual(theirs);
      if (!isDetection) continue;
      for (const key of ['image_sizes', 'original_image_sizes'] as const) {
        const sizes = new BigInt64Array(tensors.get(key)?.values.buffer ?? new ArrayBuffer());
        expect([...sizes].map(Number)).toEqual(golden[key]);
      }
    }
  });
});
