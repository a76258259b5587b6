import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { geometryOf } from '../../../src/playground/compare/geometry.ts';
import { initialSettings } from '../../../src/playground/form/settings.ts';
import { cropStart } from '../../../src/processor/image/crop.ts';
import { shortestEdgeSize } from '../../../src/processor/image/shortest-edge.ts';
import { ownSettings } from '../form/own-settings.ts';

const side = fc.integer({ min: 1, max: 3000 });

describe(geometryOf, () => {
  it.each([
    ['half to even' as const, 'torchvision' as const],
    [undefined, 'transformers-torchvision' as const],
  ])('rounds as image-processor does: a crop that rounds %s', (rounds, origin) => {
    fc.assert(
      fc.property(side, side, fc.integer({ min: 1, max: 400 }), (width, height, edge) => {
        const crop = { width: edge, height: Math.ceil(edge / 2) };
        const preset = {
          isPlain: true,
          resize: { shortestEdge: edge },
          crop: { ...crop, ...(rounds && { rounds }) },
        } as const;
        const resized = shortestEdgeSize({ width, height }, edge);
        expect(geometryOf(initialSettings, preset, { width, height }, crop)).toEqual({
          resized,
          crop: {
            ...crop,
            left: cropStart(resized.width, crop.width, origin),
            top: cropStart(resized.height, crop.height, origin),
          },
        });
      }),
    );
  });

  const source = { width: 400, height: 300 };

  it('takes the size of the result where nothing is cropped', () => {
    const result = { width: 288, height: 224 };
    const preset = { isPlain: true, resize: { byRule: true } } as const;
    expect(geometryOf(initialSettings, preset, source, result)).toEqual({ resized: result });
    expect(geometryOf({ ...ownSettings, fit: 'inside' }, undefined, source, result)).toEqual({
      resized: result,
    });
  });

  it.each([
    ['a preset with bars', initialSettings, { resize: { byRule: true } }],
    ['a preset that the page does not know', initialSettings, undefined],
    [
      'a crop beyond the image',
      initialSettings,
      { isPlain: true, resize: source, crop: { width: 500, height: 500 } },
    ],
    ['bars', { ...ownSettings, fit: 'contain' }, undefined],
    ['a crop before the resize', { ...ownSettings, fit: 'cover' }, undefined],
    ['the original size', { ...ownSettings, sizing: 'source' as const }, undefined],
  ] as const)('has none for %s', (_, settings, preset) => {
    const result = { width: 500, height: 500 };
    expect(geometryOf(settings, preset as never, source, result)).toBeUndefined();
  });
});
