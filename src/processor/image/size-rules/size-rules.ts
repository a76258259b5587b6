import { edgeRange } from './edge-range.ts';
import { keepRatio } from './keep-ratio.ts';
import { longestEdge } from './longest-edge.ts';
import { nearSize } from './near-size.ts';
import { pixelBudget } from './pixel-budget.ts';
import { shortSide } from './short-side.ts';
import type { SizeRuleKind } from './size-rule.ts';
import { thumbnail } from './thumbnail.ts';
import { toMultiple } from './to-multiple.ts';
import { wholePatches } from './whole-patches.ts';

/** The kinds of size rules. A new one is a file in this folder and a row here. */
const sizeRuleKinds = {
  edgeRange,
  keepRatio,
  longestEdge,
  nearSize,
  pixelBudget,
  shortSide,
  thumbnail,
  toMultiple,
  wholePatches,
} as const;

type Kinds = typeof sizeRuleKinds;

/** A model's own rule for the size of its input, computed from the image's size. */
export type SizeRule = {
  [Kind in keyof Kinds]: Kinds[Kind] extends SizeRuleKind<infer R> ? R : never;
}[keyof Kinds];

/** The kind of a size rule. */
export function kindOfSizeRule(rule: SizeRule): SizeRuleKind<SizeRule> {
  return sizeRuleKinds[rule.kind] as SizeRuleKind<SizeRule>;
}
