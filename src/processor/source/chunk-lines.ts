/*
 * Lines of the chunked transfer coding (RFC 9112, 7.1): sizes, ends of chunks, trailers. Some origins end them with a bare
 * LF, which curl accepts and undici's parser refuses, so the missing CR is inserted. Chunk data is never touched.
 */

const cr = 13;
const lf = 10;
const crBytes = Buffer.of(cr);

/** Rewrites one chunked body. */
export interface ChunkTidier {
  /** The next bytes of the body, with CRLF at the end of each line. */
  take(bytes: Buffer): Buffer;
}

/** Starts at the first chunk's size. Malformed lines pass as they are, and the parser refuses them. */
export function createChunkTidier(): ChunkTidier {
  let part: 'size' | 'data' | 'data end' | 'trailer' | 'over' = 'size';
  /** Size of the chunk in bytes, as far as its digits were read. */
  let size = 0;
  let isSizeRead = false;
  let dataLeft = 0;
  let lineLength = 0;
  let lastByte = 0;

  function endLine(): void {
    if (part === 'size') part = size > 0 ? 'data' : 'trailer';
    else if (part === 'data end') part = 'size';
    // An empty line ends the trailers.
    else if (lineLength === 0) part = 'over';
    dataLeft = size;
    if (part === 'size') [size, isSizeRead] = [0, false];
    [lineLength, lastByte] = [0, 0];
  }

  function readByte(byte: number): void {
    if (byte === lf) {
      endLine();
      return;
    }
    if (part === 'size' && !isSizeRead) {
      const digit = Number.parseInt(String.fromCharCode(byte), 16);
      isSizeRead = Number.isNaN(digit);
      if (!isSizeRead) size = size * 16 + digit;
    }
    if (byte !== cr) lineLength += 1;
    lastByte = byte;
  }

  return {
    take(bytes) {
      const pieces: Buffer[] = [];
      let from = 0;
      let at = 0;
      while (at < bytes.length && part !== 'over') {
        if (part === 'data') {
          const read = Math.min(dataLeft, bytes.length - at);
          at += read;
          dataLeft -= read;
          if (dataLeft === 0) part = 'data end';
          continue;
        }
        const byte = bytes[at] as number;
        if (byte === lf && lastByte !== cr) {
          pieces.push(bytes.subarray(from, at), crBytes);
          from = at;
        }
        readByte(byte);
        at += 1;
      }
      return pieces.length === 0 ? bytes : Buffer.concat([...pieces, bytes.subarray(from)]);
    },
  };
}
