import { aspectRatioId } from './aspect-ratio.ts';
import { constant } from './constant.ts';
import { detectionSizes } from './detection-sizes.ts';
import type { ExtraKind } from './extra.ts';
import { imageCount } from './image-count.ts';
import { imageSizes } from './image-sizes.ts';
import { patchCount } from './patch-count.ts';
import { patchGrid } from './patch-grid.ts';
import { patchMask } from './patch-mask.ts';
import { patchPositions } from './patch-positions.ts';
import { pictureCount } from './picture-count.ts';
import { pictureMask } from './picture-mask.ts';
import { pixelMask } from './pixel-mask.ts';
import { ratioPad } from './ratio-pad.ts';
import { resizeRatios } from './resize-ratios.ts';
import { splitCount } from './split-count.ts';
import { tileCounts } from './tile-counts.ts';
import { tileMask, tileTokens } from './tile-mask.ts';

/** The kinds of tensors beside the pixels. A new one is a file in this folder and a row here. */
const extraKinds = {
  aspectRatioId,
  constant,
  detectionSizes,
  imageCount,
  imageSizes,
  patchCount,
  patchGrid,
  patchMask,
  patchPositions,
  pictureCount,
  pictureMask,
  pixelMask,
  ratioPad,
  resizeRatios,
  splitCount,
  tileCounts,
  tileMask,
  tileTokens,
} as const;

type Kinds = typeof extraKinds;

/** A tensor beside the pixels, with its name in the response. */
export type ExtraTensor = { readonly name: string } & {
  [Kind in keyof Kinds]: Kinds[Kind] extends ExtraKind<infer E> ? E : never;
}[keyof Kinds];

/** The kind of a tensor beside the pixels. */
export function kindOfExtra(extra: ExtraTensor): ExtraKind<ExtraTensor> {
  return extraKinds[extra.kind] as ExtraKind<ExtraTensor>;
}
