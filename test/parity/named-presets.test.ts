import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { encoded } from '../support/pictures.ts';
import goldens from './named-goldens.json' with { type: 'json' };
import { type Outcome, ourBatch, ourTensors } from './our-tensors.ts';
import { picture } from './preset-goldens.ts';

/*
 * Presets of Ultralytics, PaddleOCR and Keras, from the request to the values, against these libraries, bit for bit:
 * make_named_goldens.py made the goldens with them.
 */

async function fileOf(size: string): Promise<Uint8Array> {
  const [width = 0, height = 0] = size.split('x').map(Number);
  const { data } = picture({ width, height, channels: 3, kind: 'mixed' });
  return await encoded({ pixels: data, width, height, channels: 3 }, 'png');
}

/** As make_named_goldens.py describes tensors. */
function described(outcome: Outcome) {
  if ('refusal' in outcome) throw outcome.refusal;
  return Object.fromEntries(
    outcome.tensors.map(({ name, datatype, shape, values }) => {
      const digest = createHash('sha256').update(values).digest('hex').slice(0, 16);
      return [name, `${datatype} ${shape.join('x')} ${digest}`];
    }),
  );
}

const versions = Object.entries(goldens.versions).map((entry) => entry.join(' '));

describe(`a preset against ${versions.join(', ')}`, () => {
  it.each(goldens.presets.map((preset) => [JSON.stringify(preset.request), preset] as const))(
    'gives the tensors of %s',
    async (_, { request, cases, ...golden }) => {
      for (const [size, expected] of Object.entries(cases)) {
        const tensors = described(await ourTensors(request, await fileOf(size)));
        expect([size, tensors]).toEqual([size, expected]);
      }
      if (!('batch' in golden)) return;
      const files = await Promise.all(Object.keys(cases).map(fileOf));
      expect(described(await ourBatch(request, files))).toEqual(golden.batch);
    },
  );
});
