import { crc32, inflateRawSync, constants as zlib } from 'node:zlib';
import { tensorInvalid } from './tensor-invalid.ts';

/* ZIP files as numpy.savez and numpy.savez_compressed write them: PKWARE's APPNOTE 6.3.10. */

/** A file in a ZIP file. */
export interface ZipMember {
  readonly name: string;
  /** Length of its content, as the directory has it. */
  readonly bytes: number;
  /** Its beginning: all of it, if it is short. @throws TENSOR_INVALID */
  beginning(): Uint8Array;
  /** @throws TENSOR_INVALID if it is longer than declared or than the limit, is cut off, or its checksum is another */
  content(limit: number): Uint8Array;
}

const maxMembers = 200;
const endBytes = 22;
const maxCommentBytes = 0xff_ff;
const directoryBytes = 46;
const localBytes = 30;

/** Compressed bytes of which the beginning is made; DEFLATE makes at most 1032 times as many of them. */
const beginningBytes = 1024;

/** The files in a ZIP file. @throws TENSOR_INVALID */
export function readZip(content: Uint8Array): readonly ZipMember[] {
  const file = Buffer.from(content.buffer, content.byteOffset, content.length);
  const end = findEnd(file);
  const count = file.readUInt16LE(end + 10);
  const directory = file.readUInt32LE(end + 16);
  const isZip64 = end >= 20 && file.readUInt32LE(end - 20) === 0x07_06_4b_50;
  if (isZip64 || count === 0xff_ff || directory === 0xff_ff_ff_ff) {
    throw tensorInvalid('The .npz file is in the ZIP64 format, which is not read. Send the array as .npy.');
  }
  if (count > maxMembers) {
    throw tensorInvalid(`The .npz file has ${count} arrays; at most ${maxMembers} are read.`, {
      limit: maxMembers,
      actual: count,
    });
  }
  const members: ZipMember[] = [];
  let at = directory;
  for (let index = 0; index < count; index++) {
    if (at + directoryBytes > end || file.readUInt32LE(at) !== 0x02_01_4b_50)
      throw broken('its directory is damaged');
    members.push(memberAt(file, at, end));
    at += directoryBytes + [28, 30, 32].reduce((sum, field) => sum + file.readUInt16LE(at + field), 0);
  }
  return members;
}

function findEnd(file: Buffer): number {
  for (let at = file.length - endBytes; at >= Math.max(0, file.length - endBytes - maxCommentBytes); at--) {
    if (file.readUInt32LE(at) !== 0x06_05_4b_50) continue;
    if (at + endBytes + file.readUInt16LE(at + 20) === file.length) return at;
  }
  throw broken('it has no directory at its end, so it is cut off or others follow it');
}

function memberAt(file: Buffer, at: number, end: number): ZipMember {
  const nameBytes = file.readUInt16LE(at + 28);
  const name = file.toString('utf8', at + directoryBytes, Math.min(end, at + directoryBytes + nameBytes));
  const compressed = file.readUInt32LE(at + 20);
  const bytes = file.readUInt32LE(at + 24);
  const method = file.readUInt16LE(at + 10);

  /** The stored bytes, and whether they are deflated. */
  function stored(): { readonly data: Buffer; readonly isDeflated: boolean } {
    if ((file.readUInt16LE(at + 8) & 1) !== 0) throw broken('it is encrypted');
    if (method !== 0 && method !== 8) throw broken(`it is compressed by method ${method}; 0 and 8 are read`);
    const local = file.readUInt32LE(at + 42);
    if (local + localBytes > end || file.readUInt32LE(local) !== 0x04_03_4b_50)
      throw broken('an entry of its directory leads to no file');
    const start = local + localBytes + file.readUInt16LE(local + 26) + file.readUInt16LE(local + 28);
    if (start + compressed > end) {
      throw tensorInvalid(
        `The .npz file is no whole one: an array ends at byte ${start + compressed}, behind the directory at ${end}.`,
        { limit: end, actual: start + compressed },
      );
    }
    if (method === 0 && compressed !== bytes) throw broken('a stored array has two lengths');
    return { data: file.subarray(start, start + compressed), isDeflated: method === 8 };
  }

  return {
    name,
    bytes,
    beginning() {
      const { data, isDeflated } = stored();
      const beginning = data.subarray(0, isDeflated ? beginningBytes : undefined);
      return isDeflated ? inflated(beginning, beginningBytes * 1040, true) : beginning;
    },
    content(limit) {
      if (bytes > limit) {
        throw tensorInvalid(
          `The array has ${bytes} bytes once it is inflated; at most ${limit} are read of this file.`,
          {
            limit,
            actual: bytes,
          },
        );
      }
      const { data, isDeflated } = stored();
      const content = isDeflated ? inflated(data, bytes, false) : data;
      if (content.length !== bytes) {
        throw tensorInvalid(
          `The .npz file declares ${bytes} bytes for an array that has ${content.length}.`,
          {
            limit: bytes,
            actual: content.length,
          },
        );
      }
      if (crc32(content) !== file.readUInt32LE(at + 16)) throw broken("an array's checksum is another");
      return content;
    },
  };
}

/** @param isPart - whether the data may end early */
function inflated(data: Buffer, limit: number, isPart: boolean): Uint8Array {
  try {
    return inflateRawSync(data, {
      // Zero is not permitted.
      maxOutputLength: Math.max(1, limit),
      ...(isPart && { finishFlush: zlib.Z_SYNC_FLUSH }),
    });
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE'
      ? tensorInvalid(`The .npz file declares ${limit} bytes for an array that has more.`, { limit })
      : broken('the DEFLATE data of an array is damaged or cut off');
  }
}

function broken(what: string): ReturnType<typeof tensorInvalid> {
  return tensorInvalid(`The .npz file cannot be read: ${what}.`);
}
