import { patchesIn } from '../arrangements/patches.ts';
import type { ExtraKind } from './extra.ts';

/** Number of a picture's tokens: its patches ÷ those of a token, rounded down: [1]. */
export interface PatchCountExtra {
  readonly kind: 'patchCount';
  /** Side of a patch, in pixels. */
  readonly size: number;
  /** Patches of a token. */
  readonly divisor: number;
}

export const patchCount: ExtraKind<PatchCountExtra> = {
  inWords: ({ divisor }) => `the number of patches ÷ ${divisor}`,
  datatype: () => 'INT64',
  batchRule: () => 'concatenate',
  shape: () => [1],
  values: ({ size, divisor }, { picture }) => [Math.floor(patchesIn(picture, size) / divisor)],
};
