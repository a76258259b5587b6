import { describe, expect, it } from 'vitest';
import { resizedValues } from '../../../../src/processor/image/arrangements/resized-values.ts';
import { geometryOf } from '../../../../src/processor/image/geometry.ts';
import { anyResolution } from '../../../../src/processor/image/views/any-resolution.ts';
import { aria } from '../../../../src/processor/image/views/aria.ts';
import { tilesOf } from '../../../../src/processor/image/views/tiles.ts';
import type { Views } from '../../../../src/processor/image/views/views.ts';
import { failureOf } from '../../../support/failure.ts';
import { planFrom } from '../../../support/plans.ts';

const header = {
  format: 'png',
  width: 640,
  height: 480,
  orientation: 1,
  colour: 'rgb',
  bitDepth: 8,
  hasAlpha: false,
  hasIccProfile: false,
  frames: 1,
  isProgressive: false,
  samplesPerPixel: 3,
} as const;

const geometryWith = (views: Views) => geometryOf(header, { ...planFrom({}), views });

const square = (side: number) => ({ width: side, height: side });
const source = { width: 640, height: 480 };
const tooMany = { reason: 'OUTPUT_PIXELS_OVER_LIMIT', metadata: { limit: '4096' } };

describe(tilesOf, () => {
  it('lists tiles row by row, the last ones of a row or column smaller', () => {
    expect(tilesOf({ width: 5, height: 3 }, square(3))).toEqual([
      { left: 0, top: 0, width: 3, height: 3 },
      { left: 3, top: 0, width: 2, height: 3 },
    ]);
  });

  it('lists at most 4096', () => {
    expect(tilesOf(square(64), square(1))).toHaveLength(4096);
    expect(failureOf(() => tilesOf({ width: 4097, height: 1 }, square(1)))).toMatchObject(tooMany);
  });
});

describe('a config of many tiles is refused before they are listed', () => {
  const kernel = { filter: 'bicubic' } as const;
  const resolutions = [square(65_000)];

  it.each([
    [
      'the tiles of LLaVA-NeXT',
      () =>
        geometryWith({ kind: 'anyResolution', resolutions, whole: square(1), tile: 1, each: [], ...kernel }),
    ],
    [
      'the resized tiles of LLaVA-NeXT',
      () =>
        anyResolution.branches(
          {
            kind: 'anyResolution',
            resolutions,
            whole: square(1),
            tile: 3,
            each: [{ kind: 'grayscale' }],
            ...kernel,
          },
          source,
        ),
    ],
    [
      'the tiles of Aria',
      () => aria.branches({ kind: 'aria', square: 490, minSide: 1, resolutions, ...kernel }, source),
    ],
    [
      'the tiles of Idefics 3',
      () =>
        geometryWith({ kind: 'splitImage', size: { longestEdge: 4096 }, tile: 1, isSplit: true, ...kernel }),
    ],
  ] as const)('for %s', (_, compute) => {
    expect(failureOf(compute)).toMatchObject(tooMany);
  });
});

describe('resized values', () => {
  it('refuse more values between the passes than there is memory for', () => {
    const size = { fit: 'fill', width: 65_535, height: 1 } as const;
    const arrangement = { kind: 'resizedValues', size } as const;
    const check = (antialias?: 'bilinear' | 'blur') =>
      resizedValues.check?.({ ...arrangement, antialias }, [{ width: 1, height: 65_535 }]);
    expect(failureOf(() => check('bilinear'))).toMatchObject({ reason: 'OUTPUT_PIXELS_OVER_LIMIT' });
    expect(failureOf(() => check('blur'))).toMatchObject({ reason: 'OUTPUT_PIXELS_OVER_LIMIT' });
    expect(() => check()).not.toThrow();
  });
});
