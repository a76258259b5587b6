import { crc32 } from 'node:zlib';

/*
 * Values in Redis are not trusted: other programs may write there, values may be cut off, and an older release may have
 * left another format. So each value is framed:
 *
 *   bytes 0–3  "imr" and the version of this format
 *   bytes 4–7  CRC-32 of the key and the value, big-endian. It covers the key so that a value that was copied or
 *              renamed to another key is not accepted
 *   bytes 8…   the value
 */

const magic = Buffer.from('imr\x01', 'latin1');

/** Bytes that a frame adds to its value. */
export const frameOverheadBytes = 8;

/** The frame of a value under a key. */
export function frameValue(key: string, value: Uint8Array): Buffer {
  const framed = Buffer.allocUnsafe(frameOverheadBytes + value.byteLength);
  magic.copy(framed);
  framed.writeUInt32BE(crc32(value, crc32(key)), magic.length);
  framed.set(value, frameOverheadBytes);
  return framed;
}

/** The value in a frame, as a view; undefined if it is not a complete frame of this key. */
export function unframeValue(key: string, framed: Buffer): Uint8Array | undefined {
  if (framed.length < frameOverheadBytes || !framed.subarray(0, magic.length).equals(magic)) return undefined;
  const value = framed.subarray(frameOverheadBytes);
  return crc32(value, crc32(key)) === framed.readUInt32BE(magic.length) ? value : undefined;
}
