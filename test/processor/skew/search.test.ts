import { describe, expect, it } from 'vitest';
import type { ImageHeader } from '../../../src/processor/codecs/header.ts';
import { readHeader } from '../../../src/processor/codecs/read-header.ts';
import { type Cutout, wholeOf } from '../../../src/processor/image/cutout.ts';
import type { PlacedBranch } from '../../../src/processor/image/geometry.ts';
import { latticeFor } from '../../../src/processor/skew/expected.ts';
import {
  dimensions,
  expectedOf,
  type Hypothesis,
  type Lattice,
  type Levels,
  wordsOf,
} from '../../../src/processor/skew/lattice/hypothesis.ts';
import { createRenderer, type Renderer } from '../../../src/processor/skew/render.ts';
import { search } from '../../../src/processor/skew/search.ts';
import { encoded, gradient, noise, photoLike } from '../../support/pictures.ts';
import { floatTensor, planFrom, plannedImage } from '../../support/plans.ts';

const [width, height] = [32, 28];

/** The lattice of a picture of width × height that Pillow's bilinear filter was meant to make, stretched. */
function latticeOf(header: ImageHeader): Lattice {
  const plan = planFrom({ resize: { fit: 'fill', width, height, filter: 'bilinear' }, output: floatTensor });
  const expected = plannedImage(header, plan);
  const [branch] = expected.geometry.branches as readonly PlacedBranch[];
  const picture: Levels = { data: new Uint8Array(width * height * 3), width, height, channels: 3 };
  return latticeFor(header, expected, branch as PlacedBranch, picture);
}

async function setUp(content: Uint8Array) {
  const header = await readHeader(content, 1e8);
  const renderer = createRenderer({ content, header });
  const lattice = latticeOf(header);
  const render = async (hypothesis: Hypothesis): Promise<Levels> => {
    const levels = await renderer.render(hypothesis, wholeOf({ width, height }));
    if (levels === undefined) throw new Error('the hypothesis does not apply');
    return { ...levels, data: levels.data.slice() };
  };
  return { lattice, renderer, render };
}

const photo = await encoded(photoLike(131, 97), 'jpeg');

/** A hypothesis: the expected choices but for the named ones, by the start of their `id`. */
function hypothesisOf(lattice: Lattice, changes: Partial<Record<keyof Hypothesis, string>>): Hypothesis {
  const hypothesis = expectedOf(lattice);
  const changed = dimensions.map((name) => {
    const wanted = changes[name];
    if (wanted === undefined || name === 'framing') return [name, hypothesis[name]];
    const choice = lattice[name].find(({ id }) => id === wanted);
    if (choice === undefined) throw new Error(`${name} has no choice ${wanted}`);
    return [name, choice];
  });
  return Object.fromEntries(changed) as Hypothesis;
}

const idsOf = (hypothesis: Hypothesis) => dimensions.map((name) => hypothesis[name].id);

/** The renderer, with the parts that were computed. */
function counted(renderer: Renderer): { readonly renderer: Renderer; readonly parts: Cutout[] } {
  const parts: Cutout[] = [];
  return {
    parts,
    renderer: {
      render(hypothesis, part) {
        parts.push(part);
        return renderer.render(hypothesis, part);
      },
    },
  };
}

describe(search, () => {
  it.each([
    [{}],
    [{ channelOrder: 'BGR' }],
    [{ resampler: 'opencv bilinear' }],
    [{ resampler: 'opencv box', channelOrder: 'BGR' }],
    [{ resampler: 'torch bicubic', channelOrder: 'BGR' }],
  ])('finds the hypothesis that differs from the expected one in %o', async (changes) => {
    const { lattice, renderer, render } = await setUp(photo);
    const right = hypothesisOf(lattice, changes);
    const found = await search(await render(right), lattice, renderer);
    expect(found?.error).toBe(0);
    expect(idsOf(found?.hypothesis as Hypothesis)).toEqual(idsOf(right));
  });

  it('finds framings by other rules than the expected one', async () => {
    const { lattice, renderer, render } = await setUp(photo);
    const start = expectedOf(lattice);
    for (const framing of lattice.framing(start.turn).slice(0, 20)) {
      const picture = await render({ ...start, framing });
      const found = await search(picture, lattice, renderer);
      const same = [found?.hypothesis, ...(found?.same ?? [])].map((one) => one?.framing.id);
      expect(found?.error, framing.id).toBe(0);
      // Two framings may give one picture.
      if (!same.includes(framing.id))
        expect((await render({ ...start, framing })).data).toEqual(picture.data);
    }
  });

  it('names each of two choices that give the same picture', async () => {
    // The middle of a gray picture: BGR and RGB are equal.
    const gray = await encoded({ ...gradient(90, 70), pixels: grayOf(gradient(90, 70).pixels) }, 'png');
    const { lattice, renderer, render } = await setUp(gray);
    const found = await search(await render(expectedOf(lattice)), lattice, renderer);
    expect(found?.hypothesis.channelOrder.id).toBe('RGB');
    expect(found?.same.map(wordsOf).map(({ channel_order }) => channel_order)).toContain('BGR');
  });

  it('takes the expected choice where another gives the same picture', async () => {
    const flat = await encoded({ ...gradient(90, 70), pixels: new Uint8Array(90 * 70 * 3).fill(77) }, 'png');
    const { lattice, renderer, render } = await setUp(flat);
    const other = hypothesisOf(lattice, { resampler: 'opencv box', channelOrder: 'BGR' });
    const found = await search(await render(other), lattice, renderer);
    expect(idsOf(found?.hypothesis as Hypothesis)).toEqual(idsOf(expectedOf(lattice)));
  });

  it('makes a bounded number of trials for a picture that nothing gives, the same ones each time', async () => {
    const { lattice, renderer } = await setUp(photo);
    const [first, second] = [counted(renderer), counted(renderer)];
    const one = await search(noisePicture, lattice, first.renderer);
    const other = await search(noisePicture, lattice, second.renderer);
    expect(one?.error).toBeGreaterThan(10);
    expect(one?.same).toEqual([]);
    // Four windows of each trial, and the whole picture of the last.
    expect(first.parts.length).toBeLessThanOrEqual(4 * 6000 + 1);
    expect(second.parts).toEqual(first.parts);
    expect(idsOf(other?.hypothesis as Hypothesis)).toEqual(idsOf(one?.hypothesis as Hypothesis));
    expect(other?.error).toBe(one?.error);
  });

  it('does not call a picture found that differs in one level of one pixel', async () => {
    const { lattice, renderer, render } = await setUp(photo);
    const picture = await render(expectedOf(lattice));
    (picture.data as Uint8Array)[1] = (picture.data[1] as number) ^ 1;
    const found = await search(picture, lattice, renderer);
    expect(found?.error).toBeCloseTo(1 / picture.data.length, 12);
    expect(found?.same).toEqual([]);
  });
});

function grayOf(pixels: Uint8Array): Uint8Array {
  return pixels.map((_, at) => pixels[at - (at % 3)] as number);
}

const noisePicture: Levels = { data: noise(width, height).pixels, width, height, channels: 3 };
