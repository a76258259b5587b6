import { crc32 } from 'node:zlib';

/** The first bytes of every PNG. */
export const pngSignature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');

/** A chunk with its length and its checksum (PNG, 5.3). */
export function pngChunk(type: string, data: Uint8Array = new Uint8Array()): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const chunk = Buffer.alloc(body.length + 8);
  chunk.writeUInt32BE(data.length);
  body.copy(chunk, 4);
  chunk.writeUInt32BE(crc32(body), body.length + 4);
  return chunk;
}

/** A PNG's chunks, each with its length and its checksum, in their order. */
export function pngChunks(png: Uint8Array): Buffer[] {
  const bytes = Buffer.from(png);
  const chunks: Buffer[] = [];
  for (let at = pngSignature.length; at < bytes.length; ) {
    const end = at + 12 + bytes.readUInt32BE(at);
    chunks.push(bytes.subarray(at, end));
    at = end;
  }
  return chunks;
}
