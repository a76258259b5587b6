import { describe, expect, it } from 'vitest';
import type { Settings } from '../../../src/playground/form/settings.ts';
import { placementOf } from '../../../src/playground/view/placement.ts';
import { ownSettings } from '../form/own-settings.ts';

const source = { width: 400, height: 200 };

function placed(changes: Partial<Settings>, result: { width: number; height: number }) {
  return placementOf({ ...ownSettings, width: '100', height: '100', ...changes }, undefined, source, result);
}

describe(placementOf, () => {
  const square = { width: 100, height: 100 };
  it.each([
    ['fill', { x: 0, y: 0, width: 100, height: 100 }],
    ['cover', { x: -50, y: 0, width: 200, height: 100 }],
    ['contain', { x: 0, y: 25, width: 100, height: 50 }],
  ])('lays the source under a result of fit %s', (fit, expected) => {
    expect(placed({ fit }, square)).toEqual(expected);
  });

  it('lets what a crop cuts away stick out', () => {
    const crop = { crop_width: '40', crop_height: '60' };
    const result = { width: 40, height: 60 };
    expect(placed(crop, result)).toEqual({ x: -30, y: -20, width: 100, height: 100 });
    expect(placed({ ...crop, sizing: 'shortest_edge', shortest_edge: '100' }, result)).toEqual({
      x: -80,
      y: -20,
      width: 200,
      height: 100,
    });
    expect(placed({ ...crop, sizing: 'source' }, result)).toEqual({
      x: -180,
      y: -70,
      width: 400,
      height: 200,
    });
  });

  it('follows a preset that is known, and knows nothing of others', () => {
    const settings = { ...ownSettings, recipe: 'preset' } as const;
    const preset = {
      name: 'ResNet50_Weights.IMAGENET1K_V1',
      resize: { shortestEdge: 128 },
      crop: square,
      mean: [0.485],
      std: [0.229],
      rescale: 1 / 255,
    };
    expect(placementOf(settings, preset, source, square)).toEqual({
      x: -78,
      y: -14,
      width: 256,
      height: 128,
    });
    expect(placementOf(settings, undefined, source, square)).toBeUndefined();
  });
});
