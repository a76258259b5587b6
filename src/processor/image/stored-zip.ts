import { crc32 } from 'node:zlib';

/*
 * ZIP files with stored entries (PKWARE's APPNOTE 6.3.10), as numpy.savez writes them. Libraries for ZIP take the
 * complete data first and copy it. Here the data is written in place, because a response is priced before it is
 * computed and a batch receives its values one image after another.
 */

/** An entry whose data is not known yet. */
export interface ZipEntry {
  /** ASCII. */
  readonly name: string;
  /** Length of its data, in bytes. */
  readonly bytes: number;
}

/** A ZIP file whose data is still to be written. */
export interface OpenZip {
  /** The whole file. */
  readonly content: Uint8Array;
  /** The part of `content` for each entry's data. */
  readonly data: readonly Uint8Array[];
  /** Writes the checksums once all data is written. */
  close(): void;
}

const localHeaderBytes = 30;
const centralHeaderBytes = 46;
const endBytes = 22;
/** 1 January 1980 in MS-DOS format, the earliest date. It is fixed so that equal data gives equal bytes. */
const earliestDate = 0x0021;
/** The version of the format that a reader has to support: 2.0. */
const version = 20;

/** Lays out a ZIP file smaller than 4 GiB. */
export function openZip(entries: readonly ZipEntry[]): OpenZip {
  const headers = entries.reduce((sum, { name }) => sum + headerBytes(name), 0);
  const content = Buffer.alloc(entries.reduce((sum, { bytes }) => sum + bytes, headers + endBytes));
  let at = 0;
  const placed = entries.map((entry) => {
    const start = at;
    at += localHeaderBytes + entry.name.length + entry.bytes;
    return { ...entry, start, data: content.subarray(at - entry.bytes, at) };
  });
  const directory = at;
  return {
    content,
    data: placed.map(({ data }) => data),
    close() {
      let central = directory;
      for (const { name, bytes, start, data } of placed) {
        const fields = entryFields(name, bytes, crc32(data));
        content.writeUInt32LE(0x04034b50, start);
        fields.copy(content, start + 4);
        content.write(name, start + localHeaderBytes, 'latin1');
        content.writeUInt32LE(0x02014b50, central);
        content.writeUInt16LE(version, central + 4);
        fields.copy(content, central + 6);
        content.writeUInt32LE(start, central + 42);
        content.write(name, central + centralHeaderBytes, 'latin1');
        central += centralHeaderBytes + name.length;
      }
      content.writeUInt32LE(0x06054b50, central);
      content.writeUInt16LE(placed.length, central + 8);
      content.writeUInt16LE(placed.length, central + 10);
      content.writeUInt32LE(central - directory, central + 12);
      content.writeUInt32LE(directory, central + 16);
    },
  };
}

function headerBytes(name: string): number {
  return localHeaderBytes + centralHeaderBytes + 2 * name.length;
}

/** The fields that an entry's local header and central header share. */
function entryFields(name: string, bytes: number, checksum: number): Buffer {
  const fields = Buffer.alloc(26);
  fields.writeUInt16LE(version, 0);
  fields.writeUInt16LE(earliestDate, 8);
  fields.writeUInt32LE(checksum, 10);
  fields.writeUInt32LE(bytes, 14);
  fields.writeUInt32LE(bytes, 18);
  fields.writeUInt16LE(name.length, 22);
  return fields;
}
