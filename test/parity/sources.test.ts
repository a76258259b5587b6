import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { Alpha, Numerics, Orientation, ProcessRequestSchema } from '../../gen/image/v1/processor_pb.ts';
import { readHeader } from '../../src/processor/codecs/read-header.ts';
import { createPresets } from '../../src/processor/presets/presets.ts';
import { planOf } from '../../src/processor/rules/rules.ts';
import { processOnePlan } from '../support/one-plan.ts';

/*
 * The three ways in which a file reaches a processor of transformers, against transformers, bit for bit:
 * make_source_goldens.py made the goldens with it.
 */

const goldens: Readonly<Record<string, string>> = JSON.parse(
  readFileSync(new URL('source-goldens.json', import.meta.url), 'utf8'),
);

/** The options that give what a way of opening the file gives. */
const ways: Readonly<Record<string, object>> = {
  default: {},
  'orientation=ignore': { orientation: Orientation.IGNORE },
  'alpha=drop': { alpha: Alpha.DROP },
};

const maxPixels = 1_000_000;
const presets = createPresets({});

async function hashOf(file: string, type: string, numerics: Numerics, way: string): Promise<string> {
  const config = { image_processor_type: type, do_center_crop: false, size: { height: 13, width: 17 } };
  const request = create(ProcessRequestSchema, {
    preprocessorConfig: JSON.stringify(config),
    numerics,
    ...ways[way],
  });
  const content = readFileSync(new URL(`../fixtures/decode/${file}`, import.meta.url));
  const plan = planOf(request, maxPixels, presets);
  const outcome = await processOnePlan(content, await readHeader(content, maxPixels), plan, maxPixels);
  if ('failure' in outcome) throw new Error(outcome.failure.message);
  return createHash('sha256').update(outcome.result.content).digest('hex').slice(0, 16);
}

describe('files opened for transformers', () => {
  it.each(Object.keys(goldens))('give the tensor of %s', async (title) => {
    const [file = '', type = '', backend, way = ''] = title.split(' ');
    const numerics = backend === 'torch' ? Numerics.TORCH : Numerics.PILLOW;
    expect(await hashOf(file, type, numerics, way)).toBe(goldens[title]);
  });

  it('differ where a file has an orientation or transparency', () => {
    const differs = (file: string, way: string) =>
      goldens[`${file} CLIPImageProcessor torch default`] !==
      goldens[`${file} CLIPImageProcessor torch ${way}`];
    expect(differs('orientation-6.jpg', 'orientation=ignore')).toBe(true);
    expect(differs('rgba.png', 'alpha=drop')).toBe(true);
  });
});
