import { roundHalfToEven, type Size } from '../shortest-edge.ts';
import { sizeInWords } from '../words.ts';
import type { SizeRuleKind } from './size-rule.ts';

/** As large as fits into a box, proportions kept: LetterBox.get_params of Ultralytics (ultralytics/data/augment.py). */
export interface LetterboxRule {
  readonly kind: 'letterbox';
  /** In pixels. */
  readonly box: Size;
}

export const letterbox: SizeRuleKind<LetterboxRule> = {
  inWords: ({ box }) => `to fit into ${sizeInWords(box)}, in proportion`,
  size({ box }, source) {
    const ratio = letterboxRatio(box, source);
    const scaled = (side: number) => Math.max(1, roundHalfToEven(side * ratio));
    return { width: scaled(source.width), height: scaled(source.height) };
  },
};

/** The ratio of the result to the source, before it is rounded to whole pixels. */
export function letterboxRatio(box: Size, source: Size): number {
  return Math.min(box.height / source.height, box.width / source.width);
}
