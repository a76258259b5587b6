/** A box of an ISO base media file (ISO/IEC 14496-12, 4.2). */
export interface Box {
  readonly type: string;
  /** The box without its length and type. */
  readonly body: Buffer;
}

/** Limit of boxes in one container. Real files contain a few dozen, a hostile one may contain millions. */
const mostBoxes = 10_000;

/** The boxes of a file cannot be read. The caller reports it as IMAGE_CORRUPT. */
export class MalformedBoxes extends Error {
  override readonly name = 'MalformedBoxes';
}

/**
 * Lists the boxes in a container's body.
 *
 * @throws MalformedBoxes; RangeError if a box ends within its length field
 */
export function readBoxes(body: Buffer): Box[] {
  const boxes: Box[] = [];
  for (let at = 0; at + 8 <= body.length; ) {
    let length = body.readUInt32BE(at);
    const type = body.toString('latin1', at + 4, at + 8);
    let head = 8;
    if (length === 1) {
      length = Number(body.readBigUInt64BE(at + 8));
      head = 16;
    }
    if (length === 0) length = body.length - at;
    if (length < head || boxes.length === mostBoxes)
      throw new MalformedBoxes(`a box ${type} of ${length} bytes`);
    // A file's last box may be cut off. The code that needs the missing bytes reports it.
    boxes.push({ type, body: body.subarray(at + head, at + length) });
    at += length;
  }
  return boxes;
}

export function findBox(boxes: readonly Box[], type: string): Buffer | undefined {
  return boxes.find((box) => box.type === type)?.body;
}

/** @throws MalformedBoxes */
export function requireBox(boxes: readonly Box[], type: string): Buffer {
  const body = findBox(boxes, type);
  if (body === undefined) throw new MalformedBoxes(`no ${type}`);
  return body;
}

/** Reads big-endian numbers one after another. Throws a RangeError past the end. */
export interface Reader {
  readonly version: number;
  readonly flags: number;
  unsigned(bytes: number): number;
  text(): string;
  rest(): Buffer;
}

/** Starts to read a box that begins with a version and flags (ISO/IEC 14496-12, 4.2). */
export function readFullBox(body: Buffer): Reader {
  return readerAt(body, 4, body.readUInt8(0), body.readUIntBE(1, 3));
}

/** Starts to read a box without a version and flags. */
export function readPlainBox(body: Buffer, at = 0): Reader {
  return readerAt(body, at, 0, 0);
}

function readerAt(body: Buffer, start: number, version: number, flags: number): Reader {
  let at = start;
  return {
    version,
    flags,
    unsigned(bytes) {
      if (bytes === 0) return 0;
      const value = bytes === 8 ? Number(body.readBigUInt64BE(at)) : body.readUIntBE(at, bytes);
      at += bytes;
      return value;
    },
    text() {
      const end = body.indexOf(0, at);
      if (end === -1) throw new MalformedBoxes('a text without an end');
      const text = body.toString('latin1', at, end);
      at = end + 1;
      return text;
    },
    rest: () => body.subarray(at),
  };
}
