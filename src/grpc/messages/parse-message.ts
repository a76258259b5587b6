import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  type DescEnum,
  type DescField,
  type DescMessage,
  fromBinary,
  fromJson,
  type JsonValue,
  type MessageShape,
  ScalarType,
} from '@bufbuild/protobuf';
import { isFieldError } from '@bufbuild/protobuf/reflect';
import { Failure } from '../../failures.ts';
import { nearestNames } from '../../nearest-names.ts';
import { shortened } from '../../shortened.ts';
import { decodeBase64 } from './decode-base64.ts';
import { maxEntriesOf, maxTextBytes, tooManyEntries } from './message-limits.ts';
import { scanBinary } from './scan-binary.ts';
import { jsonText, type ScannedJson, scanJson } from './scan-json.ts';

/*
 * Parses messages of callers in either encoding. Their structure is checked before objects are built, and every error
 * is a failure of ours.
 */

/**
 * A message in Protobuf's wire format. Fields of type bytes are views of `bytes`.
 *
 * @throws Failure MESSAGE_INVALID, OPTION_INVALID for a list over its limit
 */
export function parseBinary<Desc extends DescMessage>(schema: Desc, bytes: Uint8Array): MessageShape<Desc> {
  scanBinary(schema, bytes);
  try {
    return fromBinary(schema, bytes);
  } catch (cause) {
    throw new Failure('MESSAGE_INVALID', `The message is not a valid ${schema.typeName}.`, {}, { cause });
  }
}

/**
 * A message in Protobuf's JSON. Long strings are decoded in pieces, between which other requests get their turn.
 *
 * @throws Failure MESSAGE_INVALID, OPTION_UNKNOWN for a field that the message does not have, OPTION_INVALID for a
 *   value that a field does not take and for a list over its limit
 */
export async function parseJson<Desc extends DescMessage>(
  schema: Desc,
  bytes: Uint8Array,
): Promise<MessageShape<Desc>> {
  const scanned = scanJson(bytes, (key, entries) => {
    const field = fieldsOf(schema).get(key);
    return field !== undefined && entries > maxEntriesOf(field) ? tooManyEntries(field, entries) : undefined;
  });
  const json = readJson(scanned.text);
  await fill(schema, json, scanned, '');
  try {
    return fromJson(schema, json);
  } catch (error) {
    throw invalidJson(schema, error);
  }
}

function readJson(text: string): JsonValue {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Failure('MESSAGE_INVALID', 'The message is not JSON, or it was cut off.', {}, { cause });
  }
}

const fieldsByName = new WeakMap<DescMessage, ReadonlyMap<string, DescField>>();

/** Fields by both of their names, `shortestEdge` and `shortest_edge`. */
function fieldsOf(schema: DescMessage): ReadonlyMap<string, DescField> {
  let fields = fieldsByName.get(schema);
  if (fields === undefined) {
    fields = new Map(
      schema.fields.flatMap((field) => [
        [field.name, field],
        [field.jsonName, field],
      ]),
    );
    fieldsByName.set(schema, fields);
  }
  return fields;
}

/**
 * Looks at the members of an object that stands for a message, and puts long strings in their places. Values of a wrong
 * type are left to `fromJson`.
 *
 * @param path - names of the object, with a dot behind each
 */
async function fill(schema: DescMessage, json: JsonValue, scanned: ScannedJson, path: string): Promise<void> {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return;
  const fields = fieldsOf(schema);
  for (const [key, value] of Object.entries(json)) {
    const field = fields.get(key);
    if (field === undefined) {
      const name = scanned.longString(key)?.subarray(0, 100).toString() ?? key;
      throw unknownField(schema, `${path}${name}`, name);
    }
    const name = `${path}${key}`;
    const values: unknown[] = Array.isArray(value) ? value : [value];
    if (field.fieldKind === 'list' && values.length > maxEntriesOf(field)) {
      throw tooManyEntries(field, values.length);
    }
    for (const [index, one] of values.entries()) {
      const filled = await fillOne(field, one as JsonValue, scanned, name);
      if (filled === one) continue;
      if (Array.isArray(value)) value[index] = filled as JsonValue;
      else json[key] = filled as JsonValue;
    }
  }
}

/** The replacement of a value: the value itself unless it is a long string. */
async function fillOne(field: DescField, value: JsonValue, scanned: ScannedJson, path: string) {
  if (field.enum !== undefined) {
    checkEnum(field.enum, value, path);
    return value;
  }
  if (field.message !== undefined && field.fieldKind !== 'map') {
    if (typeof value !== 'object' || Array.isArray(value))
      throw invalidValue(path, kindOf(value), 'an object');
    await fill(field.message, value, scanned, `${path}.`);
    return value;
  }
  const raw = scanned.longString(value);
  if (raw === undefined) return value;
  if (field.scalar === ScalarType.BYTES) {
    const decoded = await decodeBase64(raw);
    if (decoded !== undefined) return decoded;
    throw invalidValue(path, 'a string that is not base64', 'base64');
  }
  if (raw.length > maxTextBytes) {
    throw new Failure('OPTION_INVALID', `${path} has ${raw.length} bytes; the limit is ${maxTextBytes}.`, {
      option: path,
      limit: maxTextBytes,
      actual: raw.length,
    });
  }
  await nextTurn();
  return readJson(`"${jsonText(raw)}"`);
}

function kindOf(value: JsonValue): string {
  return Array.isArray(value) ? 'a list' : `a ${typeof value}`;
}

function checkEnum({ values }: DescEnum, value: JsonValue, path: string): void {
  if (typeof value !== 'string' || values.some(({ name }) => name === value)) return;
  throw invalidValue(path, shortened(value), `one of ${values.map(({ name }) => name).join(', ')}`);
}

function unknownField(schema: DescMessage, path: string, name: string): Failure {
  const names = schema.fields.map(({ jsonName }) => jsonName);
  const nearest = nearestNames(name, names);
  const guess = nearest.length === 0 ? '.' : `; did you mean ${nearest.join(' or ')}?`;
  const allowed = names.join(', ');
  return new Failure(
    'OPTION_UNKNOWN',
    `${schema.typeName} has no field "${shortened(path)}"${guess} Its fields are ${allowed}.`,
    { option: shortened(path), ...(nearest.length > 0 && { nearest: nearest.join(', ') }), allowed },
  );
}

/** The failure for an error of protobuf-es, without its text. */
function invalidJson(schema: DescMessage, error: unknown): Failure {
  const cause = error instanceof Error ? error.cause : undefined;
  if (!isFieldError(cause)) {
    return new Failure(
      'MESSAGE_INVALID',
      `The JSON is not a valid ${schema.typeName}.`,
      {},
      { cause: error },
    );
  }
  const field = cause.field();
  if (field.kind === 'oneof') {
    const allowed = field.fields.map(({ jsonName }) => jsonName).join(', ');
    return invalidValue(field.name, 'set more than once', `one of ${allowed}`, error);
  }
  return invalidValue(field.jsonName, 'not what this field takes', typeName(field), error);
}

/** The JSON type of a field. */
function typeName(field: DescField): string {
  if (field.fieldKind === 'list') return 'a list';
  if (field.fieldKind === 'map' || field.fieldKind === 'message') return 'an object';
  switch (field.scalar) {
    case ScalarType.BOOL:
      return 'true or false';
    case ScalarType.STRING:
      return 'a string';
    case ScalarType.BYTES:
      return 'base64';
    case ScalarType.DOUBLE:
    case ScalarType.FLOAT:
      return 'a number';
    default:
      return `a whole number (${ScalarType[field.scalar ?? ScalarType.INT32].toLowerCase()})`;
  }
}

function invalidValue(option: string, actual: string, allowed: string, cause?: unknown): Failure {
  const metadata = { option: shortened(option), actual, allowed };
  return new Failure('OPTION_INVALID', `${shortened(option)} is ${actual}; allowed: ${allowed}.`, metadata, {
    cause,
  });
}
