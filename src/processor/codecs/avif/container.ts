import { Failure } from '../../../failures.ts';
import { type Box, findBox, MalformedBoxes, readBoxes, requireBox } from './boxes.ts';
import { type Item, type Meta, readMeta } from './meta.ts';
import type { AvifPicture, CodedImage, Layer } from './picture.ts';
import { isAlphaType } from './properties.ts';
import { readTracks } from './tracks.ts';

/**
 * Reads an AVIF's container (ISO/IEC 23008-12; AV1 Image File Format 1.1): finds the item or track that is the
 * picture, and its orientation. If `avis` is the major brand, the tracks are used, as in libavif.
 *
 * @throws MalformedBoxes or RangeError if the file is damaged; FORMAT_UNSUPPORTED
 */
export function readPicture(content: Uint8Array): AvifPicture {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.length);
  const boxes = readBoxes(bytes);
  const brand = requireBox(boxes, 'ftyp').toString('latin1', 0, 4);
  const movie = findBox(boxes, 'moov');
  if (movie !== undefined && brand !== 'avif') return readTracks(readBoxes(movie), bytes);
  return readItems(boxes, bytes);
}

function readItems(boxes: readonly Box[], file: Buffer): AvifPicture {
  const meta = readMeta(requireBox(boxes, 'meta'), file);
  const primary = meta.item(meta.primary);
  const colour = layerOf(primary, meta);
  const alphaItem = alphaOf(primary, meta);
  const tileAlphas = primary.type === 'grid' ? meta.tilesOf(primary).map((tile) => alphaOf(tile, meta)) : [];
  const alpha = alphaItem !== undefined ? layerOf(alphaItem, meta) : alphaOfTiles(colour, tileAlphas, meta);
  const prem = alphaItem ?? tileAlphas[0];
  const { properties } = primary;
  return {
    colour,
    alpha,
    isPremultiplied: prem !== undefined && meta.refersTo(primary.id, 'prem', prem.id),
    coding: properties.coding,
    hasIccProfile: properties.hasIccProfile,
    orientation: orientationOf(properties.rotation, properties.mirrorAxis),
    frames: 1,
    exif: meta.described(primary, (item) => item.type === 'Exif'),
    xmp: meta.described(primary, (item) => item.contentType === 'application/rdf+xml'),
  };
}

function alphaOf(item: Item, meta: Meta): Item | undefined {
  return meta.auxiliariesOf(item).find(({ properties }) => isAlphaType(properties.auxiliaryType ?? ''));
}

/** The alpha of a grid without its own: each tile may have an alpha item. */
function alphaOfTiles(colour: Layer, alphas: readonly (Item | undefined)[], meta: Meta): Layer | undefined {
  const tiles = alphas.filter((item) => item !== undefined).map((item) => codedImage(item, meta));
  if (tiles.length === 0) return undefined;
  if (tiles.length !== colour.tiles.length) throw new MalformedBoxes('alpha of some tiles');
  return { ...colour, tiles };
}

function layerOf(item: Item, meta: Meta): Layer {
  if (item.type !== 'grid') {
    const coded = codedImage(item, meta);
    return { width: coded.width, height: coded.height, columns: 1, tiles: [coded] };
  }
  const grid = meta.dataOf(item);
  const bytes = (grid.readUInt8(1) & 1) === 1 ? 4 : 2;
  const rows = grid.readUInt8(2) + 1;
  const columns = grid.readUInt8(3) + 1;
  const width = grid.readUIntBE(4, bytes);
  const height = grid.readUIntBE(4 + bytes, bytes);
  const tiles = meta.tilesOf(item).map((tile) => codedImage(tile, meta));
  const [first] = tiles;
  const isWhole =
    first !== undefined &&
    tiles.length === rows * columns &&
    tiles.every((tile) => tile.width === first.width && tile.height === first.height) &&
    // The last column and row may extend beyond the grid, but none may start outside it.
    first.width * columns >= width &&
    first.width * (columns - 1) < width &&
    first.height * rows >= height &&
    first.height * (rows - 1) < height;
  if (!isWhole) throw new MalformedBoxes('a grid whose tiles do not cover it');
  return { width, height, columns, tiles };
}

function codedImage(item: Item, meta: Meta): CodedImage {
  const { size, configuration, unsupported } = item.properties;
  if (item.type !== 'av01') {
    throw new Failure(
      'FORMAT_UNSUPPORTED',
      `The picture of this AVIF is an item of type ${JSON.stringify(item.type)}; av01, and a grid of them, are supported.`,
      { item_type: item.type },
    );
  }
  if (unsupported !== undefined) {
    throw new Failure(
      'FORMAT_UNSUPPORTED',
      `The picture of this AVIF has the property ${JSON.stringify(unsupported)}, which is essential and not supported.`,
      { property: unsupported },
    );
  }
  if (size === undefined || configuration === undefined)
    throw new MalformedBoxes('an item without ispe or av1C');
  return { data: meta.dataOf(item), configuration, ...size };
}

/**
 * Converts `irot` and then `imir` to EXIF's orientation (ISO/IEC 23008-12, 6.5.10 and 6.5.12).
 *
 * @param rotation - anti-clockwise, in steps of 90°
 * @param mirrorAxis - 0: top and bottom are swapped; 1: left and right; unset: not mirrored
 */
export function orientationOf(rotation: number, mirrorAxis: number | undefined): number {
  const byMirror = mirrorAxis === undefined ? [1, 8, 3, 6] : mirrorAxis === 0 ? [4, 5, 2, 7] : [2, 7, 4, 5];
  return byMirror[rotation] as number;
}
