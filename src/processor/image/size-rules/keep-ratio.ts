import { roundHalfToEven } from '../shortest-edge.ts';
import { sizeInWords } from '../words.ts';
import type { SizeRuleKind } from './size-rule.ts';

/**
 * One side gets the length of the target's, the other one is in proportion, rounded half to even: ResizeKeepRatio of
 * timm (data/transforms.py) and open_clip (transform.py), with `longest` 1 or 0. A very thin image may get a side of 0.
 */
export interface KeepRatioRule {
  readonly kind: 'keepRatio';
  /** The target, in pixels. */
  readonly width: number;
  readonly height: number;
  /** `longest`: no side is longer than the target's; `shortest`: none is shorter. */
  readonly edge: 'longest' | 'shortest';
}

export const keepRatio: SizeRuleKind<KeepRatioRule> = {
  inWords: (rule) =>
    `${rule.edge === 'longest' ? 'to fit into' : 'to cover'} ${sizeInWords(rule)}, keeping the proportions`,
  size({ edge, ...target }, { width, height }) {
    const ratios = [width / target.width, height / target.height] as const;
    const ratio = edge === 'longest' ? Math.max(...ratios) : Math.min(...ratios);
    return { width: roundHalfToEven(width / ratio), height: roundHalfToEven(height / ratio) };
  },
};
