import type { Http2Stream, IncomingHttpHeaders } from 'node:http2';
import { type DescField, type DescMessage, type MessageShape, toBinary } from '@bufbuild/protobuf';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { brokenEnvelope, checkFlags, wrongNumber } from './messages/envelope-reader.ts';

/*
 * A gRPC call with one message there and one back, each of which may have megabytes, on an HTTP/2 stream: what both
 * of its ends need. A message is sent from where it lies and read into its place, uncompressed.
 */

/** Of a field of a message, in bytes: from here on it is sent from where it lies. */
const largeBytes = 16 * 1024;

/** gRPC's Length-Prefixed-Message: a byte of flags, four of length, the message. */
const envelopeBytes = 5;

/** A message in its envelope, in pieces: a large field is not copied, nor one of the messages in a list. */
export function envelopeOf<Desc extends DescMessage>(
  schema: Desc,
  message: MessageShape<Desc>,
): readonly Uint8Array[] {
  const pieces = piecesOf(schema, message);
  const envelope = Buffer.alloc(envelopeBytes);
  envelope.writeUInt32BE(lengthOf(pieces), 1);
  return [envelope, ...pieces];
}

/** `toBinary`, where a large field is copied once. */
export function messageBytes<Desc extends DescMessage>(
  schema: Desc,
  message: MessageShape<Desc>,
): Uint8Array {
  const pieces = piecesOf(schema, message);
  const bytes = new Uint8Array(Buffer.allocUnsafeSlow(lengthOf(pieces)).buffer);
  let filled = 0;
  for (const piece of pieces) {
    bytes.set(piece, filled);
    filled += piece.length;
  }
  return bytes;
}

/** Bytes of all pieces together. */
export function lengthOf(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((sum, { length }) => sum + length, 0);
}

function piecesOf<Desc extends DescMessage>(schema: Desc, message: MessageShape<Desc>): Uint8Array[] {
  const values = message as unknown as Readonly<Record<string, unknown>>;
  for (const field of schema.fields) {
    const large = largePartsOf(values, field);
    if (large === undefined) continue;
    const empty = field.fieldKind === 'list' ? [] : new Uint8Array();
    const without =
      field.oneof === undefined
        ? { [field.localName]: empty }
        : { [field.oneof.localName]: { case: undefined } };
    // The order of fields has no meaning in Protobuf.
    return [...large, toBinary(schema, { ...message, ...without })];
  }
  return [toBinary(schema, message)];
}

/** A field in pieces, if it is large, or has messages with a large field. */
function largePartsOf(
  values: Readonly<Record<string, unknown>>,
  field: DescField,
): readonly Uint8Array[] | undefined {
  const startOf = (length: number) =>
    new BinaryWriter().tag(field.number, WireType.LengthDelimited).uint32(length).finish();
  if (field.fieldKind === 'list' && field.listKind === 'message') {
    const items = values[field.localName] as readonly MessageShape<typeof field.message>[];
    const inPieces = items.map((item) => piecesOf(field.message, item));
    if (inPieces.every(({ length }) => length === 1)) return undefined;
    return inPieces.flatMap((pieces) => [startOf(lengthOf(pieces)), ...pieces]);
  }
  const value = bytesOf(values, field);
  return value === undefined || value.length < largeBytes ? undefined : [startOf(value.length), value];
}

function bytesOf(values: Readonly<Record<string, unknown>>, field: DescField): Uint8Array | undefined {
  if (field.fieldKind !== 'scalar') return undefined;
  const { oneof, localName } = field;
  const chosen = oneof && (values[oneof.localName] as { case?: string; value?: unknown });
  const value = chosen === undefined ? values[localName] : chosen.case === localName && chosen.value;
  return value instanceof Uint8Array ? value : undefined;
}

/** In bytes. What is longer is written in slices of this length, each when the one before is out. */
export const sliceBytes = 1024 * 1024;

/**
 * Writes all that this end sends: short messages in as few system calls as possible, long ones in slices. Node counts
 * what is written to a stream and isn't sent yet against its session (`maxSessionMemory`), and refuses every new stream
 * of the session over that: a few long messages that are read slowly would keep out all other calls.
 *
 * @param onProgress - hears of the bytes that are out or on their way
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
  for (const piece of pieces) {
    for (let at = 0; at < piece.length; at += sliceBytes) {
      const slice = piece.subarray(at, at + sliceBytes);
      bytes += slice.length;
      onProgress?.(bytes);
      if (!stream.write(slice)) await drained(stream);
      if (stream.closed || stream.destroyed) return;
    }
  }
  stream.end();
}

/** Comes when the stream takes more, or never will. */
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
 * Puts the chunks of one enveloped message into its place, which is made when its length is known.
 *
 * @param onLength - is called with the length before the place is made, and may throw
 * @param onBytes - is called with the bytes of the message that have arrived, and may throw
 */
export function collectMessage({
  onLength,
  onBytes,
}: {
  onLength?: (bytes: number) => void;
  onBytes?: (bytes: number) => void;
} = {}) {
  const envelope = Buffer.alloc(envelopeBytes);
  let place: Buffer | undefined;
  let length = 0;
  let bytes = 0;
  return {
    /** @throws Failure MESSAGE_INVALID, COMPRESSION_UNSUPPORTED; what `onLength` and `onBytes` throw */
    add(chunk: Buffer): void {
      const ofEnvelope = chunk.copy(envelope, Math.min(bytes, envelopeBytes), 0);
      if (place === undefined && bytes + chunk.length >= envelopeBytes) {
        length = envelope.readUInt32BE(1);
        checkFlags(envelope[0] as number);
        onLength?.(length);
        place = Buffer.allocUnsafeSlow(length);
      }
      if (place !== undefined && bytes + chunk.length > envelopeBytes + length) {
        throw wrongNumber('more than one message');
      }
      place?.set(chunk.subarray(ofEnvelope), Math.max(0, bytes - envelopeBytes));
      bytes += chunk.length;
      onBytes?.(Math.max(0, bytes - envelopeBytes));
    },
    /** @throws Failure MESSAGE_INVALID where the message or its end has not come */
    whole(): Uint8Array {
      if (bytes === 0) throw wrongNumber('no message');
      if (place !== undefined && bytes === envelopeBytes + length) return place.subarray(0, length);
      throw brokenEnvelope('it ends within a message');
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
