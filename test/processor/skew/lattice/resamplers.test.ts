import { describe, expect, it } from 'vitest';
import { Numerics } from '../../../../gen/image/v1/processor_pb.ts';
import { decodeWhole } from '../../../../src/processor/codecs/decode.ts';
import { readHeader } from '../../../../src/processor/codecs/read-header.ts';
import { wholeOf } from '../../../../src/processor/image/cutout.ts';
import type { ResampledFile } from '../../../../src/processor/skew/lattice/hypothesis.ts';
import { resamplers } from '../../../../src/processor/skew/lattice/resamplers.ts';
import { encoded, photoLike } from '../../../support/pictures.ts';
import { compared, type RawTensor } from '../../../support/skew.ts';

const size = { width: 40, height: 40 };

const options = {
  preprocessorConfig: JSON.stringify({
    image_processor_type: 'ViTImageProcessor',
    size: { width: 40, height: 40 },
    resample: 2,
    image_mean: [0.5, 0.4, 0.3],
    image_std: [0.5, 0.4, 0.3],
  }),
  numerics: Numerics.PILLOW,
};

/** A picture on which the rows with these names differ from all others. */
const sources: readonly (readonly [names: RegExp, width: number, height: number])[] = [
  [/^pillow 12/, 45, 300],
  [/outside|inside/, 205, 203],
  [/^pillow reduce/, 159, 119],
  [/gap/, 401, 303],
  [/./, 203, 151],
];

/**
 * Rows that are tried here: at least one of each library and each arithmetic. test/parity/resamplers.test.ts proves all.
 */
const tried =
  /^(pillow (bicubic|nearest)|pillow (12\.1|12\.3|gap 2) bicubic|pillow reduce|opencv (bilinear|box|lanczos|linear exact)|torch (bicubic|nearest)|torchPlain bilinear|torchLinear bicubic|torch rounded bilinear|torch (unit|scaled) bilinear|torch unit plain bicubic|opencv unit bicubic|opencv float box|opencv (unit|double) bilinear ipp|sharp file (fill|outside) lanczos3|sharp file fill cubic|sharp pixels inside mitchell|sharp pixels fill nearest|transformers.js bicubic)$/;

/** The tensor that a program with this resampler makes. */
async function tensorOf(id: string, content: Uint8Array): Promise<RawTensor> {
  const resampler = resamplers.find((row) => row.id === id);
  const header = await readHeader(content, 1e8);
  const source = await decodeWhole(content, header);
  const [decoding, turn, transparency, recolouring] = ['whole', 'apply', 'drop', 'none'].map((name) => ({
    id: name,
    orientation: 1,
  }));
  const file = { content, header, decoding, turn, transparency, recolouring } as unknown as ResampledFile;
  const box = [0, 0, source.width, source.height] as const;
  const picture = await resampler?.run(source, { box, resized: size }, wholeOf(size), file);
  if (picture === undefined) throw new Error(`${id} does not apply`);
  const values = new Float32Array(3 * size.width * size.height);
  for (const [at, level] of picture.data.entries()) {
    const [pixel, channel] = [Math.floor(at / 3), at % 3];
    const scaled = picture.white === 1 ? Math.fround(level) : Math.fround(level / 255);
    const constant = Math.fround([0.5, 0.4, 0.3][channel] as number);
    values[channel * size.width * size.height + pixel] = Math.fround(scaled - constant) / constant;
  }
  return { datatype: 'FP32', shape: [1, 3, 40, 40], content: new Uint8Array(values.buffer) };
}

describe('resamplers', () => {
  it('has the ids that a plan refers to, and no id twice', () => {
    const ids = resamplers.map(({ id }) => id);
    expect(ids).toEqual(expect.arrayContaining(['pillow hamming', 'torch nearest-exact', 'opencv box']));
    expect(ids).toContain('torchLinear bilinear');
    expect(new Set(ids).size).toBe(ids.length);
  });

  it.each(resamplers.map(({ id }) => id).filter((id) => tried.test(id)))(
    'names the cause of a tensor made by %s',
    async (id) => {
      const [, width = 0, height = 0] = sources.find(([names]) => names.test(id)) ?? [];
      const content = await encoded(photoLike(width, height, 3), 'png');
      const { cause } = await compared(content, options, await tensorOf(id, content));
      const { words } = resamplers.find((row) => row.id === id) ?? {};
      const named = (name: 'numerics' | 'filter', expected: string) => {
        const step = cause?.steps.find((other) => other.name === name);
        return step === undefined ? [expected] : [step.yours, ...step.also];
      };
      expect(cause?.exact ?? true).toBe(true);
      expect(named('numerics', 'Pillow')).toContain(words?.numerics);
      expect(named('filter', 'bilinear')).toContain(words?.filter);
    },
  );
});
