import type { ArrangementKind } from './arrangement.ts';
import { images } from './images.ts';
import { patchRows } from './patch-rows.ts';
import { patches } from './patches.ts';
import { resizedValues } from './resized-values.ts';
import { wholeAndTiles } from './whole-and-tiles.ts';

/** The kinds of arrangements. A new one is a file in this folder and a row here. */
const arrangementKinds = { images, patches, patchRows, resizedValues, wholeAndTiles } as const;

type Kinds = typeof arrangementKinds;

/** How the pictures become the tensor of pixels. */
export type Arrangement = {
  [Kind in keyof Kinds]: Kinds[Kind] extends ArrangementKind<infer A> ? A : never;
}[keyof Kinds];

/** The kind of an arrangement. */
export function kindOfArrangement(arrangement: Arrangement): ArrangementKind<Arrangement> {
  return arrangementKinds[arrangement.kind] as ArrangementKind<Arrangement>;
}
