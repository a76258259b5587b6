import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import comparison from '../../docs/generate/comparison/comparison.json' with { type: 'json' };
import {
  byOpenCv,
  byService,
  bySharp,
  byTransformers,
  differenceOf,
} from '../../docs/generate/comparison/ways.ts';

/*
 * The figures of the README's picture. transformers.js is not installed here: draw.ts measures it when the picture is
 * drawn.
 */

const photo = readFileSync(new URL('../fixtures/photo.jpg', import.meta.url));

describe("the README's comparison", () => {
  it.each([
    ['OpenCV', byOpenCv],
    ['sharp', bySharp],
    ['image-service', byService],
  ] as const)('has the figures of %s', async (name, way) => {
    const training = await byTransformers(photo);
    const { name: _, ...shown } = comparison.figures.find((each) => each.name === name) ?? {};
    expect(differenceOf(await way(photo), training)).toEqual(shown);
  });
});
