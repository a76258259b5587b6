import { toLuma } from '../../image/grayscale.ts';
import { grayToRgb } from '../../image/pixels.ts';
import type { Recolouring } from './hypothesis.ts';

/** Changes of the source's colours before the resize. */
export const recolourings: readonly Recolouring[] = [
  { id: 'none', words: {}, apply: grayToRgb },
  {
    id: 'luma',
    words: { grayscale: 'before the resize' },
    apply: (pixels) => grayToRgb(toLuma(pixels)),
  },
];
