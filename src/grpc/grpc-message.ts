import type { Http2Stream, IncomingHttpHeaders } from 'node:http2';
import type { DescMessage, MessageShape } from '@bufbuild/protobuf';
import { createEnvelopeReader, envelopeBytes, envelopeStart } from './messages/envelope-reader.ts';
import { binaryPieces, joined, lengthOf, sliceBytes, slicesOf } from './messages/written-message.ts';

/*
 * The messages of a unary gRPC call on an HTTP/2 stream, for both of its ends. Each may have many megabytes, so it is
 * sent without a copy and read into an array that is allocated once its length is known. Nothing is compressed.
 */

/** A message in its envelope, in pieces: large fields are not copied. */
export function envelopeOf<Desc extends DescMessage>(
  schema: Desc,
  message: MessageShape<Desc>,
): readonly Uint8Array[] {
  const pieces = binaryPieces(schema, message);
  return [envelopeStart(lengthOf(pieces)), ...pieces];
}

/** `toBinary`, but a large field is copied only once. */
export function messageBytes<Desc extends DescMessage>(
  schema: Desc,
  message: MessageShape<Desc>,
): Uint8Array<ArrayBuffer> {
  return joined(binaryPieces(schema, message));
}

/**
 * Writes all that this end sends: short messages in as few system calls as possible, long ones in slices. Node counts
 * what is written to a stream and isn't sent yet against its session (`maxSessionMemory`), and refuses every new stream
 * of the session over that: a few long messages that are read slowly would keep out all other calls.
 *
 * @param onProgress - is called with the number of bytes that are sent or queued
 */
export async function endWith(
  stream: Http2Stream,
  pieces: readonly Uint8Array[],
  onProgress?: (bytes: number) => void,
): Promise<void> {
  if (lengthOf(pieces) <= sliceBytes) {
    stream.cork();
    for (const piece of pieces) stream.write(piece);
    stream.end();
    stream.uncork();
    return;
  }
  let bytes = 0;
  for (const slice of slicesOf(pieces)) {
    bytes += slice.length;
    onProgress?.(bytes);
    if (!stream.write(slice)) await drained(stream);
    if (stream.closed || stream.destroyed) return;
  }
  stream.end();
}

/** Resolves when the stream accepts more bytes, or has ended. */
function drained(stream: Http2Stream): Promise<void> {
  return new Promise((resolve) => {
    const settle = () => {
      stream.off('drain', settle).off('close', settle);
      resolve();
    };
    stream.on('drain', settle).on('close', settle);
  });
}

/**
 * Reads the only message of a call.
 *
 * @param onLength - is called with the length before memory for the message is allocated, and may throw
 * @param onBytes - is called with the number of bytes of the message that have arrived, and may throw
 */
export function collectMessage({
  onLength = () => {},
  onBytes = () => {},
}: {
  onLength?: (bytes: number) => void;
  onBytes?: (bytes: number) => void;
} = {}) {
  const reader = createEnvelopeReader({ isSingle: true, checkLength: onLength });
  let message: Uint8Array | undefined;
  let bytes = 0;
  return {
    /** @throws Failure MESSAGE_INVALID, COMPRESSION_UNSUPPORTED; what `onLength` and `onBytes` throw */
    add(chunk: Uint8Array): void {
      for (const one of reader.read(chunk)) message = one;
      bytes += chunk.length;
      onBytes(Math.max(0, bytes - envelopeBytes));
    },
    /** @throws Failure MESSAGE_INVALID where the message or its end is missing */
    whole(): Uint8Array {
      reader.end();
      return message as Uint8Array;
    },
  };
}

/** HTTP/2's headers without its pseudo-headers. */
export function webHeaders(headers: IncomingHttpHeaders): Headers {
  const result = new Headers();
  for (const [name, value] of Object.entries(headers)) {
    if (name.startsWith(':') || value === undefined) continue;
    for (const one of [value].flat()) result.append(name, String(one));
  }
  return result;
}
