import { expect, test } from 'vitest';
import { meanInWords, scaleInWords, stdInWords } from '../../../../src/processor/skew/values/statistics.ts';

test.each([
  [[0.485, 0.456, 0.406], 'ImageNet'],
  [[0.406, 0.456, 0.485], 'ImageNet in BGR order'],
  [[123.675, 116.28, 103.53], 'ImageNet × 255'],
  [[103.53, 116.28, 123.675], 'ImageNet × 255 in BGR order'],
  [[0.229, 0.224, 0.225], 'the std of ImageNet'],
  [[0.48145466, 0.4578275, 0.40821073], 'CLIP'],
  [[0.5, 0.5, 0.5], '0.5'],
  [[0.5], '0.5'],
  [[0, 0, 0], 'none'],
  [[0.1, 0.2, 0.3], '0.1, 0.2, 0.3'],
] as const)('the mean %j is called %s', (mean, words) => {
  expect(meanInWords(mean)).toBe(words);
});

test.each([
  [[0.229, 0.224, 0.225], 'ImageNet'],
  [[0.485, 0.456, 0.406], 'the mean of ImageNet'],
  [[58.395, 57.12, 57.375], 'ImageNet × 255'],
  [[1, 1, 1], 'none'],
  [[0.5, 0.5, 0.5], '0.5'],
] as const)('the std %j is called %s', (std, words) => {
  expect(stdInWords(std)).toBe(words);
});

test.each([
  [1 / 255, '1/255'],
  [0.00392156862745098, '1/255'],
  [2 / 255, '2/255'],
  [1 / 256, '1/256'],
  [1, '1'],
  [255, '255'],
  [0.3, '0.3'],
] as const)('the scale %d is called %s', (factor, words) => {
  expect(scaleInWords(factor)).toBe(words);
});
