import type { Colour } from '../pixels.ts';
import type { Step } from '../steps.ts';
import { colourInWords, kernelInWords } from '../words.ts';
import { fitLongerSide, type Resampling, type ViewsKind } from './view.ts';

/**
 * The image in a small square that is made of the large one, then the large one: DeepseekVLHybridImageProcessor of
 * transformers (image_processing_deepseek_vl_hybrid.py).
 */
export interface TwoResolutionsViews {
  readonly kind: 'twoResolutions';
  /** Unset: both pictures are the image itself. */
  readonly squares: { readonly small: FittedSquare; readonly large: FittedSquare } | undefined;
}

interface FittedSquare extends Resampling {
  /** The longer side, in pixels. */
  readonly side: number;
  /** Least length of the shorter side, in pixels. */
  readonly shortestSide: number;
  /** The padding to a square. Unset: there is none. */
  readonly colour: Colour | undefined;
}

export const twoResolutions: ViewsKind<TwoResolutionsViews> = {
  inWords({ squares }) {
    if (squares === undefined) return 'take the image twice';
    const { small, large } = squares;
    return `make pictures: the image ${squareInWords(small)}, made of the next; the image ${squareInWords(large)}`;
  },
  branches({ squares }) {
    if (squares === undefined) return [{ steps: [] }, { steps: [] }];
    const { small, large } = squares;
    const steps = stepsTo(large);
    return [{ steps: [...steps, ...stepsTo(small)] }, { steps }];
  },
};

function squareInWords({ side, colour, ...kernel }: FittedSquare): string {
  const padding = colour === undefined ? '' : `, padded to a square with ${colourInWords(colour)}`;
  return `with its longer side ${side} (${kernelInWords(kernel)})${padding}`;
}

function stepsTo({ side, shortestSide, colour, ...resampling }: FittedSquare): readonly Step[] {
  return fitLongerSide(side, resampling, colour, shortestSide);
}
