import {
  type Box,
  findBox,
  MalformedBoxes,
  readBoxes,
  readFullBox,
  readPlainBox,
  requireBox,
} from './boxes.ts';
import { noProperties, type Properties, readProperties } from './properties.ts';

/** An item of a `meta` box (ISO/IEC 14496-12, 8.11). */
export interface Item {
  readonly id: number;
  /** `av01`, `grid`, `Exif`, `mime`, … */
  readonly type: string;
  /** Only of a `mime` item. */
  readonly contentType: string;
  readonly properties: Properties;
}

/** The items of a file and their references. */
export interface Meta {
  readonly primary: number;
  /** @throws MalformedBoxes if no item has this id */
  item(id: number): Item;
  /** @throws MalformedBoxes if the file ends before the item does */
  dataOf(item: Item): Buffer;
  tilesOf(grid: Item): readonly Item[];
  /** Auxiliary images of a picture: alpha, depth, … */
  auxiliariesOf(item: Item): readonly Item[];
  refersTo(from: number, type: string, to: number): boolean;
  /** The bytes of the first matching item that describes a picture. */
  described(item: Item, isWanted: (description: Item) => boolean): Buffer | undefined;
}

/** Limit of items and tiles: a grid has at most 256 × 256 tiles. */
const mostItems = 70_000;

/** @param file - the whole file, to which the items' offsets refer */
export function readMeta(body: Buffer, file: Buffer): Meta {
  const boxes = readBoxes(readFullBox(body).rest());
  const ids = readItemTypes(requireBox(boxes, 'iinf'));
  const properties = readItemProperties(requireBox(boxes, 'iprp'));
  const places = readPlaces(findBox(boxes, 'iloc'));
  const references = readReferences(findBox(boxes, 'iref'));
  const idat = findBox(boxes, 'idat');
  const primary = readFullBox(requireBox(boxes, 'pitm'));

  function item(id: number): Item {
    const entry = ids.get(id);
    if (entry === undefined) throw new MalformedBoxes(`no item ${id}`);
    return { id, ...entry, properties: properties.get(id) ?? noProperties };
  }
  function dataOf({ id }: Item): Buffer {
    const place = places.get(id);
    if (place === undefined) throw new MalformedBoxes(`no place of item ${id}`);
    const source = place.isInIdat ? idat : file;
    const parts = place.extents.map(({ offset, length }) => {
      const end = length === 0 ? (source?.length ?? 0) : offset + length;
      if (source === undefined || end > source.length) throw new MalformedBoxes(`item ${id} is cut off`);
      return source.subarray(offset, end);
    });
    return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
  }
  const of = (type: string) => references.filter((reference) => reference.type === type);
  return {
    primary: primary.unsigned(primary.version === 0 ? 2 : 4),
    item,
    dataOf,
    tilesOf: ({ id }) =>
      of('dimg')
        .find(({ from }) => from === id)
        ?.to.map(item) ?? [],
    auxiliariesOf: ({ id }) =>
      of('auxl')
        .filter(({ to }) => to.includes(id))
        .map(({ from }) => item(from)),
    refersTo: (from, type, to) =>
      of(type).some((reference) => reference.from === from && reference.to.includes(to)),
    described({ id }, isWanted) {
      const descriptions = of('cdsc').filter(({ to }) => to.includes(id));
      const found = descriptions.map(({ from }) => item(from)).find(isWanted);
      return found && dataOf(found);
    },
  };
}

/** ISO/IEC 14496-12, 8.11.6. */
function readItemTypes(body: Buffer): Map<number, { type: string; contentType: string }> {
  const head = readFullBox(body);
  head.unsigned(head.version === 0 ? 2 : 4);
  const items = new Map<number, { type: string; contentType: string }>();
  for (const box of readBoxes(head.rest())) {
    if (box.type !== 'infe') continue;
    const entry = readFullBox(box.body);
    if (entry.version < 2) throw new MalformedBoxes(`infe of version ${entry.version}`);
    const id = entry.unsigned(entry.version === 2 ? 2 : 4);
    entry.unsigned(2);
    const type = entry.rest().toString('latin1', 0, 4);
    entry.unsigned(4);
    entry.text();
    items.set(id, { type, contentType: type === 'mime' ? entry.text() : '' });
  }
  return items;
}

interface Place {
  readonly isInIdat: boolean;
  readonly extents: readonly { readonly offset: number; readonly length: number }[];
}

/** ISO/IEC 14496-12, 8.11.3. */
function readPlaces(body: Buffer | undefined): Map<number, Place> {
  const places = new Map<number, Place>();
  if (body === undefined) return places;
  const box = readFullBox(body);
  const sizes = box.unsigned(2);
  const [offsetBytes, lengthBytes, baseBytes] = [sizes >> 12, (sizes >> 8) & 15, (sizes >> 4) & 15];
  const indexBytes = box.version === 0 ? 0 : sizes & 15;
  const count = box.unsigned(box.version < 2 ? 2 : 4);
  for (let index = 0; index < count && index < mostItems; index++) {
    const id = box.unsigned(box.version < 2 ? 2 : 4);
    const method = box.version === 0 ? 0 : box.unsigned(2) & 15;
    box.unsigned(2);
    const base = box.unsigned(baseBytes);
    const extents = Array.from({ length: box.unsigned(2) }, () => {
      box.unsigned(indexBytes);
      return { offset: base + box.unsigned(offsetBytes), length: box.unsigned(lengthBytes) };
    });
    if (method > 1) throw new MalformedBoxes(`iloc of method ${method}`);
    places.set(id, { isInIdat: method === 1, extents });
  }
  return places;
}

interface Reference {
  readonly type: string;
  readonly from: number;
  readonly to: readonly number[];
}

/** ISO/IEC 14496-12, 8.11.12. */
function readReferences(body: Buffer | undefined): Reference[] {
  if (body === undefined) return [];
  const head = readFullBox(body);
  const bytes = head.version === 0 ? 2 : 4;
  return readBoxes(head.rest()).map(({ type, body: reference }: Box) => {
    const entry = readPlainBox(reference);
    const from = entry.unsigned(bytes);
    return { type, from, to: Array.from({ length: entry.unsigned(2) }, () => entry.unsigned(bytes)) };
  });
}

/** ISO/IEC 23008-12, 9.3. */
function readItemProperties(body: Buffer): Map<number, Properties> {
  const boxes = readBoxes(body);
  const all = readBoxes(requireBox(boxes, 'ipco'));
  const byItem = new Map<number, { box: Box; isEssential: boolean }[]>();
  for (const { body: association } of boxes.filter(({ type }) => type === 'ipma')) {
    const entry = readFullBox(association);
    const count = entry.unsigned(4);
    const indexBytes = (entry.flags & 1) === 1 ? 2 : 1;
    for (let index = 0; index < count && index < mostItems; index++) {
      const id = entry.unsigned(entry.version === 0 ? 2 : 4);
      const some = Array.from({ length: entry.unsigned(1) }, () => {
        const value = entry.unsigned(indexBytes);
        const essential = 2 ** (8 * indexBytes - 1);
        return { box: all[(value % essential) - 1], isEssential: value >= essential };
      });
      const known = some.flatMap(({ box, isEssential }) => (box === undefined ? [] : [{ box, isEssential }]));
      byItem.set(id, [...(byItem.get(id) ?? []), ...known]);
    }
  }
  return new Map([...byItem].map(([id, boxesOfItem]) => [id, readProperties(boxesOfItem)]));
}
