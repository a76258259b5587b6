import { closestGrid } from './closest-grid.ts';
import { edgeRange } from './edge-range.ts';
import { halvedEdges } from './halved-edges.ts';
import { keepRatio } from './keep-ratio.ts';
import { letterbox } from './letterbox.ts';
import { longestEdge } from './longest-edge.ts';
import { mostPatches } from './most-patches.ts';
import { nearSize } from './near-size.ts';
import { patchLimit } from './patch-limit.ts';
import { pixelBudget } from './pixel-budget.ts';
import { shortSide } from './short-side.ts';
import { sideAndArea } from './side-and-area.ts';
import type { SizeRuleKind } from './size-rule.ts';
import { textDetection } from './text-detection.ts';
import { textLine } from './text-line.ts';
import { thumbnail } from './thumbnail.ts';
import { toMultiple } from './to-multiple.ts';
import { tokenBudget } from './token-budget.ts';
import { wholePatches } from './whole-patches.ts';

/** The kinds of size rules. A new one is a file in this folder and a row here. */
const sizeRuleKinds = {
  closestGrid,
  edgeRange,
  halvedEdges,
  keepRatio,
  letterbox,
  longestEdge,
  mostPatches,
  nearSize,
  patchLimit,
  pixelBudget,
  shortSide,
  sideAndArea,
  textDetection,
  textLine,
  thumbnail,
  tokenBudget,
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
