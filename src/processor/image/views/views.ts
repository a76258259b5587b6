import { anyResolution } from './any-resolution.ts';
import { aria } from './aria.ts';
import { fittedCanvas } from './fitted-canvas.ts';
import { globalAndTiles } from './global-and-tiles.ts';
import { largeImageTiles } from './large-image-tiles.ts';
import { paddedGrid } from './padded-grid.ts';
import { panAndScan } from './pan-and-scan.ts';
import { quarters } from './quarters.ts';
import { slices } from './slices.ts';
import { splitImage } from './split-image.ts';
import { tileGrid } from './tile-grid.ts';
import { tiledCanvas } from './tiled-canvas.ts';
import { twoResolutions } from './two-resolutions.ts';
import type { ViewsKind } from './view.ts';

/** The kinds of views. A new one is a file in this folder and a row here. */
const viewsKinds = {
  anyResolution,
  aria,
  fittedCanvas,
  globalAndTiles,
  largeImageTiles,
  paddedGrid,
  panAndScan,
  quarters,
  slices,
  splitImage,
  tileGrid,
  tiledCanvas,
  twoResolutions,
} as const;

type Kinds = typeof viewsKinds;

/** A rule that makes several pictures of one source. */
export type Views = {
  [Kind in keyof Kinds]: Kinds[Kind] extends ViewsKind<infer V> ? V : never;
}[keyof Kinds];

/** The kind of views. */
export function kindOfViews(views: Views): ViewsKind<Views> {
  return viewsKinds[views.kind] as ViewsKind<Views>;
}
