import { describe, expect, it } from 'vitest';
import type { CauseStep } from '../../../src/processor/skew/cause.ts';
import { sentenceOf } from '../../../src/processor/skew/sentence.ts';

function step(name: CauseStep['name'], yours: string, expected: string): CauseStep {
  return { name, yours, expected, also: [] };
}

const subject = "resnet50's own tensor";
const difference = { isEqual: false, differingShare: 0.928, meanAbs: 131.2, maxAbs: 255, percentiles: [] };

describe(sentenceOf, () => {
  it('names the resize, what else differs, the difference and the steps to change', () => {
    const steps = [
      step('orientation', 'ignore', 'apply'),
      step('numerics', 'OpenCV INTER_LINEAR', 'Pillow'),
      step('filter', 'bilinear', 'bicubic'),
      step('channel_order', 'BGR', 'RGB'),
      step('mean', 'none', 'ImageNet'),
      step('rounding', 'in FP64', 'in FP32'),
    ];
    expect(sentenceOf({ steps, exact: true, confidence: 1, difference, subject })).toBe(
      "Yours is OpenCV INTER_LINEAR, not turned by its EXIF orientation, in the channel order BGR and without a mean; it differs from resnet50's own tensor in 92.8 % of the values, by 130 on average. Change 5 steps: orientation, numerics, filter, channel order and mean.",
    );
  });

  it('says how much a cause explains that is not exact', () => {
    const steps = [step('filter', 'nearest', 'bicubic')];
    expect(sentenceOf({ steps, exact: false, confidence: 0.4567, difference: undefined, subject })).toBe(
      "Yours is most likely resampled by the filter nearest, which explains 45.7 % of the difference; it has another size than resnet50's own tensor. Change filter to bicubic.",
    );
  });

  it('names the last bit only where nothing else differs', () => {
    const steps = [step('rounding', 'in FP64', 'in FP32')];
    expect(sentenceOf({ steps, exact: true, confidence: 1, difference, subject })).toContain(
      'Yours is rounded otherwise (in FP64);',
    );
    expect(sentenceOf({ steps, exact: false, confidence: 0, difference, subject })).toBe(
      "Yours differs from resnet50's own tensor in 92.8 % of the values, by 130 on average, and no known preprocessing gives its values.",
    );
  });
});
