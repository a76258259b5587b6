import { describe, expect, it } from 'vitest';
import type { ImageHeader } from '../../../src/processor/codecs/header.ts';
import { decisionsOf } from '../../../src/processor/image/provenance.ts';
import { type PlanOptions, planFrom } from '../../support/plans.ts';

const header = (some: Partial<ImageHeader> = {}): ImageHeader => ({
  format: 'jpeg',
  width: 4,
  height: 3,
  orientation: 1,
  colour: 'rgb',
  bitDepth: 8,
  hasAlpha: false,
  hasIccProfile: false,
  frames: 1,
  isProgressive: false,
  samplesPerPixel: 3,
  ...some,
});

describe(decisionsOf, () => {
  it('is empty for an image without a choice', () => {
    expect(decisionsOf(header(), planFrom(), false)).toEqual([]);
  });

  it.each<[decision: string, header: Partial<ImageHeader>, plan: PlanOptions, alphaIsKept: boolean]>([
    ['orientation=6 turned upright', { orientation: 6 }, {}, false],
    ['icc=ignored', { hasIccProfile: true }, {}, false],
    ['icc=converted to sRGB', { hasIccProfile: true }, { numerics: 'fast' }, false],
    ['bit_depth=16 to 8 by high byte', { bitDepth: 16 }, {}, false],
    ["cmyk=Pillow's formula", { colour: 'cmyk' }, {}, false],
    ['cmyk=profile', { colour: 'cmyk' }, { numerics: 'fast' }, false],
    ['alpha=kept', { hasAlpha: true }, {}, true],
    ['alpha=dropped', { hasAlpha: true }, {}, false],
    ['alpha=laid on the background', { hasAlpha: true }, { background: [1, 2, 3] }, false],
    ['frame=first of 12', { frames: 12 }, {}, false],
  ])('states %s', (decision, someHeader, somePlan, alphaIsKept) => {
    expect(decisionsOf(header(someHeader), planFrom(somePlan), alphaIsKept)).toEqual([decision]);
  });

  it.each([
    ['jpeg', ['orientation=6 ignored']],
    // Pillow turns a TIFF when it loads it.
    ['tiff', ['orientation=6 turned upright']],
  ] as const)('states for a %s whose orientation is ignored %j', (format, decisions) => {
    const plan = { ...planFrom(), orientation: 'ignore' } as const;
    expect(decisionsOf(header({ orientation: 6, format }), plan, false)).toEqual(decisions);
    expect(decisionsOf(header({ exifIsUnreadable: true }), plan, false)).toEqual([]);
  });

  it('states all of them', () => {
    const all = header({ orientation: 3, hasIccProfile: true, bitDepth: 16, hasAlpha: true, frames: 2 });
    expect(decisionsOf(all, planFrom(), true)).toEqual([
      'orientation=3 turned upright',
      'icc=ignored',
      'bit_depth=16 to 8 by high byte',
      'alpha=kept',
      'frame=first of 2',
    ]);
  });
});
