import { randomBytes } from 'node:crypto';
import {
  type DescField,
  type DescMessage,
  type MessageShape,
  toBinary,
  toJsonString,
} from '@bufbuild/protobuf';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import type { CallFormat } from './call-format.ts';
import { envelopeStart } from './envelope-reader.ts';

/*
 * Messages whose bytes fields may have many megabytes. Protobuf's own serialisers copy a message into one array, which
 * blocks the event loop for more than 150 ms from about 110 MB on. Here large fields stay where they are, and the
 * message is written in slices.
 */

/** In bytes. A bytes field of this length or more is not copied. */
const largeBytes = 16 * 1024;

/** In bytes. A longer message is written in slices of at most this length. */
export const sliceBytes = 1024 * 1024;

/** Base64 is made in shorter slices, because strings of a megabyte make the garbage collector pause longer. In bytes. */
const base64SliceBytes = (sliceBytes / 4 / 4) * 3;

/** A message as it goes to the wire. */
export interface WrittenMessage {
  /** Its length in bytes. */
  readonly bytes: number;
  /** Its bytes. Each slice is made on demand; a message of at most `sliceBytes` is one slice. */
  slices(): Iterable<Uint8Array>;
}

/**
 * Writes a message in Protobuf's binary or JSON format.
 *
 * @param format.isEnveloped - whether an envelope precedes the message
 */
export function writeMessage<Desc extends DescMessage>(
  schema: Desc,
  message: MessageShape<Desc>,
  { isBinary, isEnveloped }: Pick<CallFormat, 'isBinary' | 'isEnveloped'>,
): WrittenMessage {
  const body = isBinary ? binaryBody(schema, message) : jsonBody(schema, message);
  const start = isEnveloped ? [envelopeStart(body.bytes)] : [];
  const bytes = lengthOf(start) + body.bytes;
  function* slices() {
    yield* start;
    yield* body.slices();
  }
  return { bytes, slices: () => (bytes <= sliceBytes ? [joined([...slices()])] : slices()) };
}

function binaryBody(schema: DescMessage, message: MessageShape<DescMessage>): WrittenMessage {
  const pieces = binaryPieces(schema, message);
  return { bytes: lengthOf(pieces), slices: () => slicesOf(pieces) };
}

function jsonBody(schema: DescMessage, message: MessageShape<DescMessage>): WrittenMessage {
  const large: Uint8Array[] = [];
  const text = toJsonString(schema, withMarks(schema, message, large));
  // Texts and numbers of marks alternate.
  const parts = text
    .split(mark)
    .map((part, at) => (at % 2 === 0 ? Buffer.from(part) : (large[Number(part)] as Uint8Array)));
  const bytes = parts.reduce(
    (sum, { length }, at) => sum + (at % 2 === 0 ? length : Math.ceil(length / 3) * 4),
    0,
  );
  function* slices() {
    for (const [at, part] of parts.entries()) {
      if (at % 2 === 0) yield part;
      else yield* base64Slices(part);
    }
  }
  return { bytes, slices };
}

/** Several pieces as one array. */
export function joined(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const [only] = pieces;
  if (pieces.length === 1 && only !== undefined) return only as Uint8Array<ArrayBuffer>;
  // Not from Node's pool, of which a part would keep all of it in memory.
  const bytes = new Uint8Array(Buffer.allocUnsafeSlow(lengthOf(pieces)).buffer);
  let filled = 0;
  for (const piece of pieces) {
    bytes.set(piece, filled);
    filled += piece.length;
  }
  return bytes;
}

/** Length of all pieces together, in bytes. */
export function lengthOf(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((sum, { length }) => sum + length, 0);
}

/** Views of the pieces, of at most `sliceBytes` each. */
export function* slicesOf(pieces: Iterable<Uint8Array>): Generator<Uint8Array> {
  for (const piece of pieces) {
    for (let at = 0; at < piece.length; at += sliceBytes) yield piece.subarray(at, at + sliceBytes);
  }
}

function* base64Slices(bytes: Uint8Array): Generator<Uint8Array> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at < buffer.length; at += base64SliceBytes) {
    yield Buffer.from(
      buffer.toString('base64', at, Math.min(at + base64SliceBytes, buffer.length)),
      'latin1',
    );
  }
}

type Values = Readonly<Record<string, unknown>>;

/** A message in Protobuf's binary format, in pieces: large fields are views of themselves. */
export function binaryPieces(schema: DescMessage, message: MessageShape<DescMessage>): Uint8Array[] {
  const large: Uint8Array[] = [];
  let rest = message as unknown as Values;
  for (const field of schema.fields) {
    const pieces = largePieces(message as unknown as Values, field);
    if (pieces === undefined) continue;
    large.push(...pieces);
    rest = { ...rest, ...withoutField(field) };
  }
  // The order of fields has no meaning in Protobuf.
  return [...large, toBinary(schema, rest as unknown as MessageShape<DescMessage>)];
}

/** Length of all fields of type bytes together, in bytes: almost all of a message with images, without writing it. */
export function bytesInFields(schema: DescMessage, message: MessageShape<DescMessage>): number {
  return schema.fields.reduce((sum, field) => {
    const value = fieldValue(message as unknown as Values, field);
    if (value instanceof Uint8Array) return sum + value.length;
    const { message: inner } = field;
    if (inner === undefined || field.fieldKind === 'map' || value === undefined) return sum;
    const messages = [value].flat() as MessageShape<DescMessage>[];
    return messages.reduce((bytes, one) => bytes + bytesInFields(inner, one), sum);
  }, 0);
}

function withoutField(field: DescField): Values {
  if (field.oneof !== undefined) return { [field.oneof.localName]: { case: undefined } };
  if (field.fieldKind === 'list') return { [field.localName]: [] };
  return { [field.localName]: field.fieldKind === 'message' ? undefined : new Uint8Array() };
}

/** The pieces of a field that is large or contains a large field; undefined for other fields. */
function largePieces(values: Values, field: DescField): readonly Uint8Array[] | undefined {
  const value = fieldValue(values, field);
  if (value instanceof Uint8Array) return value.length < largeBytes ? undefined : delimited(field, [value]);
  if (field.message === undefined || field.fieldKind === 'map' || value === undefined) return undefined;
  const { message: schema } = field;
  const messages = [value].flat() as MessageShape<DescMessage>[];
  const inPieces = messages.map((one) => binaryPieces(schema, one));
  if (inPieces.every(({ length }) => length === 1)) return undefined;
  return inPieces.flatMap((pieces) => delimited(field, pieces));
}

/** A length-delimited field of the binary format. */
function delimited({ number }: DescField, pieces: readonly Uint8Array[]): readonly Uint8Array[] {
  const start = new BinaryWriter().tag(number, WireType.LengthDelimited).uint32(lengthOf(pieces)).finish();
  return [start, ...pieces];
}

function fieldValue(values: Values, { oneof, localName }: DescField): unknown {
  if (oneof === undefined) return values[localName];
  const chosen = values[oneof.localName] as { case?: string; value?: unknown };
  return chosen.case === localName ? chosen.value : undefined;
}

/** No caller can guess it. Sixteen characters that are base64, so that decoding and encoding keeps them. */
const markStart = randomBytes(8).toString('hex');

/** Base64 that stands in a JSON text for a large field, with the field's number. */
const mark = new RegExp(`${markStart}(\\d{4})`);

/** A copy of a message in which marks replace the large fields. @param large - gets the fields, in their order */
function withMarks<Desc extends DescMessage>(
  schema: Desc,
  message: MessageShape<Desc>,
  large: Uint8Array[],
): MessageShape<Desc> {
  const marked: Record<string, unknown> = { ...message };
  for (const field of schema.fields) {
    const value = fieldValue(message as unknown as Values, field);
    const replaced = replaceLarge(field, value, large);
    if (replaced === value) continue;
    const { oneof, localName } = field;
    marked[oneof?.localName ?? localName] =
      oneof === undefined ? replaced : { case: localName, value: replaced };
  }
  return marked as MessageShape<Desc>;
}

function replaceLarge(field: DescField, value: unknown, large: Uint8Array[]): unknown {
  if (value instanceof Uint8Array) {
    if (value.length < largeBytes) return value;
    const number = String(large.push(value) - 1).padStart(4, '0');
    return Buffer.from(markStart + number, 'base64');
  }
  const { message: schema } = field;
  if (schema === undefined || field.fieldKind === 'map' || value === undefined) return value;
  const replace = (one: MessageShape<DescMessage>) => withMarks(schema, one, large);
  return Array.isArray(value) ? value.map(replace) : replace(value as MessageShape<DescMessage>);
}
