import { crc32 } from 'node:zlib';
import type { Random } from './random.ts';

/** Changes a copy of a file. */
type Mutation = (content: Buffer, random: Random, corpus: readonly Buffer[]) => Buffer;

/** Values that decoders mishandle: sizes at and near the ends of their types. */
const edges = [
  0, 1, 2, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff,
];

/** Byte lengths of a corpus grow without end when files are put together; no decoder needs more than this. */
const maxBytes = 256 * 1024;

export const mutations = {
  bitFlips(content, random) {
    for (let count = 1 + random.below(16); count > 0; count--) {
      const at = random.below(content.length);
      content[at] = (content[at] ?? 0) ^ (1 << random.below(8));
    }
    return content;
  },
  oneByte(content, random) {
    content[random.below(content.length)] = random.pick([0, 1, 0x7f, 0x80, 0xfe, 0xff, random.below(256)]);
    return content;
  },
  byteRun(content, random) {
    const from = random.below(content.length);
    return content.fill(
      random.pick([0, 0xff, random.below(256)]),
      from,
      Math.min(content.length, from + 1 + random.below(64)),
    );
  },
  noiseRun(content, random) {
    random.bytes(1 + random.below(64)).copy(content, random.below(content.length));
    return content;
  },
  truncated: (content, random) => content.subarray(0, random.below(content.length + 1)),
  cutOut(content, random) {
    const from = random.below(content.length);
    return Buffer.concat([content.subarray(0, from), content.subarray(from + 1 + random.below(64))]);
  },
  inserted(content, random) {
    const at = random.below(content.length);
    return Buffer.concat([content.subarray(0, at), random.bytes(1 + random.below(64)), content.subarray(at)]);
  },
  repeated(content, random) {
    const from = random.below(content.length);
    const part = content.subarray(from, from + 1 + random.below(256));
    const copies = Array.from({ length: 2 + random.below(30) }, () => part);
    return Buffer.concat([content.subarray(0, from), ...copies, content.subarray(from)]);
  },
  spliced(content, random, corpus) {
    const other = random.pick(corpus);
    return Buffer.concat([
      content.subarray(0, random.below(content.length + 1)),
      other.subarray(random.below(other.length + 1)),
    ]);
  },
  withOthersHead(content, random, corpus) {
    const length = 4 + random.below(60);
    return Buffer.concat([random.pick(corpus).subarray(0, length), content.subarray(length)]);
  },
  lengthField(content, random) {
    const places = lengthFields(content);
    if (places.length === 0) return content;
    const { at, bytes, isLittleEndian } = random.pick(places);
    const limit = 2 ** (8 * bytes);
    const now = isLittleEndian ? content.readUIntLE(at, bytes) : content.readUIntBE(at, bytes);
    const value = random.pick([...edges, now + 1, now - 1, now * 2, random.below(limit)]);
    const wrapped = ((value % limit) + limit) % limit;
    if (isLittleEndian) content.writeUIntLE(wrapped, at, bytes);
    else content.writeUIntBE(wrapped, at, bytes);
    return withRightCrcs(content, random);
  },
  edgeAnywhere(content, random) {
    const bytes = random.pick([2, 4]);
    if (content.length < bytes) return content;
    const at = random.below(content.length - bytes + 1);
    const value = random.pick(edges) % 2 ** (8 * bytes);
    if (random.oneIn(2)) content.writeUIntLE(value, at, bytes);
    else content.writeUIntBE(value, at, bytes);
    return withRightCrcs(content, random);
  },
} as const satisfies Record<string, Mutation>;

export type MutationName = keyof typeof mutations;
const names = Object.keys(mutations) as MutationName[];

/**
 * Changes a file of a corpus in one to four ways.
 *
 * @returns the file, and the names of what was done to it
 */
export function mutated(
  random: Random,
  corpus: readonly Buffer[],
): { content: Buffer; done: MutationName[] } {
  let content = Buffer.from(random.pick(corpus));
  const done: MutationName[] = [];
  for (let count = 1 + random.below(random.pick([1, 2, 4])); count > 0 && content.length > 0; count--) {
    const name = random.pick(names);
    const mutation: Mutation = mutations[name];
    content = Buffer.from(mutation(content, random, corpus).subarray(0, maxBytes));
    done.push(name);
  }
  return { content, done };
}

interface Field {
  readonly at: number;
  readonly bytes: 2 | 3 | 4;
  readonly isLittleEndian: boolean;
}

/** Where a file's format keeps lengths, counts and sizes. */
function lengthFields(content: Buffer): Field[] {
  const text = content.toString('latin1', 0, 16);
  const fields = text.startsWith('\xff\xd8')
    ? jpegFields(content)
    : text.startsWith('\x89PNG')
      ? pngFields(content)
      : text.startsWith('RIFF')
        ? riffFields(content)
        : text.startsWith('GIF8')
          ? gifFields()
          : text.startsWith('II') || text.startsWith('MM')
            ? tiffFields(content)
            : text.startsWith('ftyp', 4)
              ? boxFields(content, 0, content.length)
              : [];
  return fields.filter(({ at, bytes }) => at + bytes <= content.length);
}

/** Lengths of the segments, and height and width of frames (ITU-T T.81, B.2.2). */
function jpegFields(content: Buffer): Field[] {
  const fields: Field[] = [];
  for (let at = 2; at + 4 <= content.length && content[at] === 0xff; ) {
    const marker = content[at + 1] ?? 0;
    fields.push({ at: at + 2, bytes: 2, isLittleEndian: false });
    if (marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4) {
      fields.push(
        { at: at + 5, bytes: 2, isLittleEndian: false },
        { at: at + 7, bytes: 2, isLittleEndian: false },
      );
    }
    if (marker === 0xda) break;
    at += 2 + content.readUInt16BE(at + 2);
  }
  return fields;
}

/** Lengths of the chunks, and width and height. */
function pngFields(content: Buffer): Field[] {
  const fields: Field[] = [
    { at: 16, bytes: 4, isLittleEndian: false },
    { at: 20, bytes: 4, isLittleEndian: false },
    { at: 24, bytes: 2, isLittleEndian: false },
  ];
  for (let at = 8; at + 8 <= content.length; at += 12 + content.readUInt32BE(at)) {
    fields.push({ at, bytes: 4, isLittleEndian: false });
  }
  return fields;
}

function riffFields(content: Buffer): Field[] {
  const fields: Field[] = [{ at: 4, bytes: 4, isLittleEndian: true }];
  for (let at = 12; at + 8 <= content.length; ) {
    fields.push(
      { at: at + 4, bytes: 4, isLittleEndian: true },
      { at: at + 12, bytes: 3, isLittleEndian: true },
    );
    fields.push(
      { at: at + 14, bytes: 2, isLittleEndian: true },
      { at: at + 16, bytes: 2, isLittleEndian: true },
    );
    const length = content.readUInt32LE(at + 4);
    at += 8 + length + (length & 1);
  }
  return fields;
}

/** The screen, and the first frame after a colour table of 2, 4, … 256 colours. */
function gifFields(): Field[] {
  const frames = Array.from({ length: 8 }, (_, bits) => 13 + 3 * 2 ** (bits + 1) + 5);
  return [6, 8, ...frames, ...frames.map((at) => at + 2)].map((at) => ({
    at,
    bytes: 2,
    isLittleEndian: true,
  }));
}

/** Counts and values of the first directory's entries (TIFF 6.0, section 2). */
function tiffFields(content: Buffer): Field[] {
  if (content.length < 8) return [];
  const isLittleEndian = content[0] === 0x49;
  const read = (at: number, bytes: 2 | 4) =>
    at + bytes > content.length
      ? 0
      : isLittleEndian
        ? content.readUIntLE(at, bytes)
        : content.readUIntBE(at, bytes);
  const directory = read(4, 4);
  const fields: Field[] = [
    { at: 4, bytes: 4, isLittleEndian },
    { at: directory, bytes: 2, isLittleEndian },
  ];
  for (let entry = 0; entry < Math.min(64, read(directory, 2)); entry++) {
    const at = directory + 2 + 12 * entry;
    fields.push({ at: at + 2, bytes: 2, isLittleEndian });
    fields.push({ at: at + 4, bytes: 4, isLittleEndian }, { at: at + 8, bytes: 4, isLittleEndian });
  }
  return fields;
}

/** Sizes of boxes, those inside of others too, and the sizes that ispe has (ISO/IEC 14496-12 and 23008-12). */
function boxFields(content: Buffer, from: number, end: number): Field[] {
  const fields: Field[] = [];
  for (let at = from; at + 8 <= end; ) {
    fields.push({ at, bytes: 4, isLittleEndian: false });
    const size = content.readUInt32BE(at);
    const name = content.toString('latin1', at + 4, at + 8);
    const inside = { meta: 12, iprp: 8, ipco: 8, iinf: 14 }[name];
    if (inside !== undefined) fields.push(...boxFields(content, at + inside, Math.min(end, at + size)));
    if (name === 'ispe') {
      fields.push(
        { at: at + 12, bytes: 4, isLittleEndian: false },
        { at: at + 16, bytes: 4, isLittleEndian: false },
      );
    }
    if (name === 'iloc') {
      for (let field = 12; field < Math.min(size, 64); field += 2)
        fields.push({ at: at + field, bytes: 2, isLittleEndian: false });
    }
    if (size < 8) break;
    at += size;
  }
  return fields;
}

/** A PNG with a wrong checksum isn't looked into; half of the time the checksums are put right. */
function withRightCrcs(content: Buffer, random: Random): Buffer {
  if (!content.toString('latin1', 0, 4).startsWith('\x89PNG') || random.oneIn(2)) return content;
  for (let at = 8; at + 12 <= content.length; ) {
    const length = content.readUInt32BE(at);
    const end = at + 8 + length;
    if (end + 4 > content.length) break;
    content.writeUInt32BE(crc32(content.subarray(at + 4, end)), end);
    at = end + 4;
  }
  return content;
}
