import { describe, expect, it } from 'vitest';
import {
  type PixelBudgetRule,
  pixelBudget,
} from '../../../../src/processor/image/size-rules/pixel-budget.ts';
import { failureOf } from '../../../support/failure.ts';

const rule: PixelBudgetRule = { kind: 'pixelBudget', factor: 28, minPixels: 3136, maxPixels: 1_003_520 };

function sizeOf(width: number, height: number, changes: Partial<PixelBudgetRule> = {}): string {
  const size = pixelBudget.size({ ...rule, ...changes }, { width, height });
  return `${size.width} × ${size.height}`;
}

describe('pixelBudget', () => {
  it('rounds each side to a multiple, half to even', () => {
    expect(sizeOf(300, 70)).toBe('308 × 56');
    expect(sizeOf(300, 98)).toBe('308 × 112');
  });

  it('shrinks an image over the budget and rounds its sides down', () => {
    expect(sizeOf(1280, 720)).toBe('1288 × 728');
    expect(sizeOf(1920, 1080)).toBe('1316 × 728');
  });

  it('enlarges an image below the budget and rounds its sides up', () => {
    expect(sizeOf(30, 20)).toBe('84 × 56');
  });

  it('counts an image as several frames', () => {
    expect(sizeOf(1280, 720, { frames: 2 })).toBe('924 × 504');
  });

  it('first enlarges an image with a side shorter than a multiple', () => {
    expect(sizeOf(10, 300)).toBe('28 × 308');
    expect(sizeOf(10, 300, { enlarged: 'truncated' })).toBe('28 × 840');
    expect(sizeOf(10, 297, { enlarged: 'rounded' })).toBe('28 × 840');
  });

  it('refuses an image with one side more than 200 times the other', () => {
    const check = (width: number, height: number, enlarged?: 'truncated') => () =>
      pixelBudget.check?.({ ...rule, enlarged }, { width, height });
    expect(check(2000, 10)).not.toThrow();
    expect(failureOf(check(10, 2001))).toMatchObject({
      reason: 'ASPECT_RATIO_OVER_LIMIT',
      metadata: { limit: '200', actual: '200.1', width: '10', height: '2001' },
    });
    expect(failureOf(check(10, 2001, 'truncated'))).toMatchObject({ reason: 'ASPECT_RATIO_OVER_LIMIT' });
  });
});
