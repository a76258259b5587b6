import { isUtf8 } from 'node:buffer';
import { type DescField, type DescMessage, ScalarType } from '@bufbuild/protobuf';
import { WireType } from '@bufbuild/protobuf/wire';
import { Failure } from '../../failures.ts';
import { maxEntriesOf, maxValues, tooManyEntries, tooManyValues } from './message-limits.ts';

/**
 * Reads a Protobuf message without building anything, so that its structure is bounded before objects are made of it:
 * two bytes on the wire can become an object of hundreds of bytes, and millions of them stop the event loop.
 *
 * A message that passes is well-formed for its schema: every length ends within its parent, wire types are those of the
 * fields, and text is UTF-8. Unknown fields are allowed and count. Groups are refused: proto3 has none.
 *
 * @throws Failure MESSAGE_INVALID, OPTION_INVALID for a list over its limit
 */
export function scanBinary(schema: DescMessage, bytes: Uint8Array): void {
  const walk: Walk = { schema, bytes, at: 0, values: 0, over: undefined };
  walkMessage(walk, shapesOf(schema), bytes.length);
  if (walk.over !== undefined) throw tooManyEntries(walk.over.shape.field, walk.over.entries);
}

interface Walk {
  readonly schema: DescMessage;
  readonly bytes: Uint8Array;
  at: number;
  /** Fields and packed values so far. */
  values: number;
  /** The first list over its limit. Its entries are counted on, because the failure says how many there are. */
  over: { readonly shape: Shape; entries: number } | undefined;
}

/** The wire format of a field. */
interface Shape {
  readonly field: DescField;
  readonly wireType: WireType;
  readonly isPackable: boolean;
  readonly isText: boolean;
  /** Fields of the message in this field. */
  readonly message: (() => Shapes) | undefined;
  readonly isList: boolean;
}

type Shapes = ReadonlyMap<number, Shape>;

const known = new WeakMap<DescMessage, Shapes>();

function shapesOf(schema: DescMessage): Shapes {
  let shapes = known.get(schema);
  if (shapes === undefined) {
    shapes = new Map(schema.fields.map((field) => [field.number, shapeOf(field)]));
    known.set(schema, shapes);
  }
  return shapes;
}

function shapeOf(field: DescField): Shape {
  const isList = field.fieldKind === 'list';
  const scalar = isList && field.listKind === 'enum' ? ScalarType.INT32 : field.scalar;
  const own = { field, isList, isText: scalar === ScalarType.STRING };
  if (field.fieldKind === 'map') {
    return {
      ...own,
      isText: false,
      wireType: WireType.LengthDelimited,
      isPackable: false,
      message: () => entryShapes(field),
    };
  }
  const { message } = field;
  if (message !== undefined) {
    return {
      ...own,
      wireType: WireType.LengthDelimited,
      isPackable: false,
      message: () => shapesOf(message),
    };
  }
  const wireType = wireTypeOf(scalar);
  return {
    ...own,
    wireType,
    isPackable: isList && wireType !== WireType.LengthDelimited,
    message: undefined,
  };
}

/** A map's entry is a message with the key in field 1 and the value in field 2. */
function entryShapes(field: DescField & { fieldKind: 'map' }): Shapes {
  const { message, mapKey, scalar } = field;
  const plain = { field, isList: false, isPackable: false };
  return new Map([
    [1, { ...plain, wireType: wireTypeOf(mapKey), isText: mapKey === ScalarType.STRING, message: undefined }],
    [
      2,
      {
        ...plain,
        wireType: message === undefined ? wireTypeOf(scalar) : WireType.LengthDelimited,
        isText: scalar === ScalarType.STRING,
        message: message && (() => shapesOf(message)),
      },
    ],
  ]);
}

/** @param scalar - undefined for an enum */
function wireTypeOf(scalar: ScalarType | undefined): WireType {
  switch (scalar) {
    case ScalarType.STRING:
    case ScalarType.BYTES:
      return WireType.LengthDelimited;
    case ScalarType.DOUBLE:
    case ScalarType.FIXED64:
    case ScalarType.SFIXED64:
      return WireType.Bit64;
    case ScalarType.FLOAT:
    case ScalarType.FIXED32:
    case ScalarType.SFIXED32:
      return WireType.Bit32;
    default:
      return WireType.Varint;
  }
}

function walkMessage(walk: Walk, shapes: Shapes, end: number): void {
  let counts: Map<Shape, number> | undefined;
  while (walk.at < end) {
    count(walk, 1);
    const tag = readTag(walk, end);
    const shape = shapes.get(tag >>> 3);
    if (shape === undefined) {
      skip(walk, tag & 7, end);
      continue;
    }
    if (shape.isList) {
      counts ??= new Map();
      const entries = (counts.get(shape) ?? 0) + 1;
      counts.set(shape, entries);
      noteEntries(walk, shape, entries);
    }
    walkField(walk, shape, tag & 7, end);
  }
}

function noteEntries(walk: Walk, shape: Shape, entries: number): void {
  if (walk.over === undefined) {
    if (entries > maxEntriesOf(shape.field)) walk.over = { shape, entries };
  } else if (walk.over.shape === shape) {
    walk.over.entries = Math.max(walk.over.entries, entries);
  }
}

function walkField(walk: Walk, shape: Shape, wireType: number, end: number): void {
  const isPacked = shape.isPackable && wireType === WireType.LengthDelimited;
  if (wireType !== shape.wireType && !isPacked) {
    throw malformed(walk, `${shape.field.name} has wire type ${wireType} instead of ${shape.wireType}`);
  }
  if (wireType !== WireType.LengthDelimited) {
    skip(walk, wireType, end);
    return;
  }
  const to = readEnd(walk, end);
  if (shape.message !== undefined) walkMessage(walk, shape.message(), to);
  else if (isPacked) walkPacked(walk, shape.wireType, to);
  else if (shape.isText && !isUtf8(walk.bytes.subarray(walk.at, to))) {
    throw malformed(walk, `${shape.field.name} is not UTF-8`);
  }
  walk.at = to;
}

function walkPacked(walk: Walk, wireType: WireType, end: number): void {
  while (walk.at < end) {
    count(walk, 1);
    skip(walk, wireType, end);
  }
}

function count(walk: Walk, values: number): void {
  walk.values += values;
  if (walk.values <= maxValues) return;
  if (walk.over !== undefined) throw tooManyEntries(walk.over.shape.field, walk.over.entries);
  throw tooManyValues(walk.values);
}

/** A tag is a 32-bit number: the field's, and three bits of wire type. */
function readTag(walk: Walk, end: number): number {
  const from = walk.at;
  const tag = readVarint(walk, end);
  const length = walk.at - from;
  const isOver = length > 5 || (length === 5 && (walk.bytes[walk.at - 1] as number) > 0x0f);
  if (isOver || tag >>> 3 === 0) throw malformed(walk, 'a field number is out of range');
  return tag;
}

/** Where a length-delimited value ends. */
function readEnd(walk: Walk, end: number): number {
  const length = readVarint(walk, end);
  if (length > end - walk.at) throw malformed(walk, 'a length reaches beyond the end');
  return walk.at + length;
}

function skip(walk: Walk, wireType: number, end: number): void {
  switch (wireType) {
    case WireType.Varint:
      readVarint(walk, end);
      return;
    case WireType.Bit64:
      walk.at += 8;
      break;
    case WireType.LengthDelimited:
      walk.at = readEnd(walk, end);
      return;
    case WireType.Bit32:
      walk.at += 4;
      break;
    default:
      throw malformed(walk, wireType > 5 ? `there is no wire type ${wireType}` : 'groups are not supported');
  }
  if (walk.at > end) throw malformed(walk, 'a value reaches beyond the end');
}

/** The low 32 bits of a varint of at most ten bytes. */
function readVarint(walk: Walk, end: number): number {
  const { bytes } = walk;
  const last = Math.min(end, walk.at + 10);
  let value = 0;
  for (let shift = 0; walk.at < last; shift += 7) {
    const byte = bytes[walk.at++] as number;
    if (shift < 32) value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return value >>> 0;
  }
  throw malformed(
    walk,
    last === end ? 'a value reaches beyond the end' : 'a varint is longer than ten bytes',
  );
}

function malformed(walk: Walk, what: string): Failure {
  return new Failure(
    'MESSAGE_INVALID',
    `The message is not a valid ${walk.schema.typeName}: ${what}, at byte ${walk.at} of ${walk.bytes.length}.`,
    { message: walk.schema.typeName },
  );
}
