import type { Size } from '../shortest-edge.ts';
import type { ExtraKind, PictureSizes } from './extra.ts';

/**
 * 1 for the patches of the whole picture and of each tile, 0 for those in the padding: [1, 1 + tiles, side, side], where
 * side is the number of patches of a tile. `image_attention_mask` of Phi4MultimodalImageProcessor.
 */
export interface TileMaskExtra extends PatchedTiles {
  readonly kind: 'tileMask';
}

/** Tiles of patches. */
interface PatchedTiles {
  /** Side of a tile, in pixels. */
  readonly tile: number;
  /** Side of a patch, in pixels. */
  readonly patch: number;
}

/**
 * The number of tokens of an image: [1]. `num_img_tokens` of Phi4MultimodalImageProcessor: those of the whole picture,
 * of every second patch that is not padding, and of the ends of rows.
 */
export interface TileTokensExtra extends PatchedTiles {
  readonly kind: 'tileTokens';
}

export const tileMask: ExtraKind<TileMaskExtra> = {
  inWords: ({ patch }) => `1 for each patch of ${patch} × ${patch} pixels of the image, 0 for the padding`,
  datatype: () => 'FP32',
  batchRule: () => 'padWithOnes',
  shape(extra, { picture }) {
    const side = Math.floor(extra.tile / extra.patch);
    return [1, 1 + (picture.width / extra.tile) * (picture.height / extra.tile), side, side];
  },
  *values(extra, sizes) {
    const { side, isShown } = patchesOf(extra, sizes);
    for (let patch = 0; patch < side * side; patch++) yield 1;
    for (const { left, top } of tilesOf(extra, sizes.picture)) {
      for (let y = 0; y < side; y++) {
        for (let x = 0; x < side; x++) yield Number(isShown(left * side + x, top * side + y));
      }
    }
  },
};

export const tileTokens: ExtraKind<TileTokensExtra> = {
  inWords: () => 'the number of tokens of the image',
  datatype: () => 'INT64',
  batchRule: () => 'concatenate',
  shape: () => [1],
  values(extra, sizes) {
    const { side, isShown } = patchesOf(extra, sizes);
    let shown = 0;
    let rows = 0;
    for (const { left, top } of tilesOf(extra, sizes.picture)) {
      for (let y = 0; y < side; y += 2) {
        for (let x = 0; x < side; x += 2) shown += Number(isShown(left * side + x, top * side + y));
        if (left === 0) rows += Number(isShown(0, top * side + y));
      }
    }
    return [256 + 1 + shown + rows + 16];
  },
};

/** Position of each tile, in tiles. */
function tilesOf({ tile }: PatchedTiles, { width, height }: Size) {
  const [columns, rows] = [width / tile, height / tile];
  return Array.from({ length: columns * rows }, (_, index) => ({
    left: index % columns,
    top: Math.floor(index / columns),
  }));
}

/** Patches of the grid that show the image. Whole patches of padding are hidden. */
function patchesOf({ tile, patch }: PatchedTiles, { picture, contents }: PictureSizes) {
  const side = Math.floor(tile / patch);
  const content = contents[0] as Size;
  const hidden = {
    across: Math.floor((picture.width - content.width) / patch),
    down: Math.floor((picture.height - content.height) / patch),
  };
  const columns = side * (picture.width / tile) - hidden.across;
  const rows = side * (picture.height / tile) - hidden.down;
  return { side, isShown: (x: number, y: number) => x < columns && y < rows };
}
