import {
  type Box,
  findBox,
  MalformedBoxes,
  readBoxes,
  readFullBox,
  readPlainBox,
  requireBox,
} from './boxes.ts';
import type { AvifPicture, Layer } from './picture.ts';
import { isAlphaType, type Properties, readProperties } from './properties.ts';

/** A track of AV1 images (ISO/IEC 23008-12, 7). */
interface Track {
  readonly id: number;
  readonly layer: Layer;
  readonly frames: number;
  readonly properties: Properties;
  /** Ids of the tracks for which this one is auxiliary. */
  readonly auxiliaryTo: readonly number[];
  readonly premultipliedBy: readonly number[];
}

/**
 * Reads the first frame of an image sequence. As in libavif, it comes from the first track of AV1 images that is not
 * auxiliary to another, with alpha from the track that is auxiliary to it.
 *
 * @param movie - the boxes in `moov`
 * @param file - the whole file, to which the samples' offsets refer
 * @throws MalformedBoxes, RangeError
 */
export function readTracks(movie: readonly Box[], file: Buffer): AvifPicture {
  const tracks = movie
    .filter(({ type }) => type === 'trak')
    .flatMap(({ body }) => readTrack(readBoxes(body), file) ?? []);
  const colour = tracks.find(({ auxiliaryTo }) => auxiliaryTo.length === 0);
  if (colour === undefined) throw new MalformedBoxes('no track of AV1 images');
  const alpha = tracks.find(
    ({ auxiliaryTo, properties }) =>
      auxiliaryTo.includes(colour.id) &&
      (properties.auxiliaryType === undefined || isAlphaType(properties.auxiliaryType)),
  );
  const { layer, frames, properties } = colour;
  return {
    colour: layer,
    alpha: alpha?.layer,
    isPremultiplied: alpha !== undefined && colour.premultipliedBy.includes(alpha.id),
    coding: properties.coding,
    hasIccProfile: properties.hasIccProfile,
    orientation: 1,
    frames,
    exif: undefined,
    xmp: undefined,
  };
}

/** Fixed fields of a visual sample entry before its boxes (ISO/IEC 14496-12, 12.1.3), in bytes. */
const sampleEntryBytes = 78;

/** @returns undefined for a track that contains no AV1 images */
function readTrack(boxes: readonly Box[], file: Buffer): Track | undefined {
  const head = readFullBox(requireBox(boxes, 'tkhd'));
  const timeBytes = head.version === 1 ? 8 : 4;
  head.unsigned(timeBytes);
  head.unsigned(timeBytes);
  const id = head.unsigned(4);
  const media = readBoxes(requireBox(boxes, 'mdia'));
  const table = readBoxes(requireBox(readBoxes(requireBox(media, 'minf')), 'stbl'));
  const description = readFullBox(requireBox(table, 'stsd'));
  description.unsigned(4);
  const entry = readBoxes(description.rest()).find(({ type }) => type === 'av01');
  if (entry === undefined) return undefined;
  const properties = readProperties(
    readBoxes(entry.body.subarray(sampleEntryBytes)).map((box) => ({ box, isEssential: false })),
  );
  const { configuration } = properties;
  if (configuration === undefined) throw new MalformedBoxes('a track without av1C');
  const width = entry.body.readUInt16BE(24);
  const height = entry.body.readUInt16BE(26);
  const references = readReferences(findBox(boxes, 'tref'));
  const { data, frames } = readFirstSample(table, file);
  return {
    id,
    layer: { width, height, columns: 1, tiles: [{ data, configuration, width, height }] },
    frames,
    properties,
    auxiliaryTo: references.get('auxl') ?? [],
    premultipliedBy: references.get('prem') ?? [],
  };
}

/** ISO/IEC 14496-12, 8.7: the offset of the first chunk, and the length of the first sample. */
function readFirstSample(table: readonly Box[], file: Buffer): { data: Buffer; frames: number } {
  const sizes = readFullBox(requireBox(table, 'stsz'));
  const commonSize = sizes.unsigned(4);
  const frames = sizes.unsigned(4);
  const size = commonSize === 0 ? sizes.unsigned(4) : commonSize;
  const offsets = findBox(table, 'stco');
  const chunks = readFullBox(offsets ?? requireBox(table, 'co64'));
  chunks.unsigned(4);
  const offset = chunks.unsigned(offsets === undefined ? 8 : 4);
  if (offset + size > file.length) throw new MalformedBoxes('the first frame is cut off');
  return { data: file.subarray(offset, offset + size), frames };
}

/** ISO/IEC 14496-12, 8.3.3. */
function readReferences(body: Buffer | undefined): Map<string, number[]> {
  if (body === undefined) return new Map();
  return new Map(
    readBoxes(body).map(({ type, body: ids }) => {
      const entry = readPlainBox(ids);
      return [type, Array.from({ length: ids.length >> 2 }, () => entry.unsigned(4))];
    }),
  );
}
