import { randomUUID } from 'node:crypto';
import { Failure } from '../../failures.ts';
import { maxDepth, maxJsonBytes, maxTextBytes, maxValues, tooDeep, tooManyValues } from './message-limits.ts';

/** From here on a string is left out of the text, in bytes. */
const longBytes = 4096;

/** No caller can write a string that begins with it. */
const marker = `${randomUUID()}:`;

/** JSON whose structure is within the limits. */
export interface ScannedJson {
  /** For `JSON.parse`; a mark is in the place of each long string. */
  readonly text: string;
  /** The long string that a mark stands for, as it came, without its quotes; undefined for all other values. */
  longString(value: unknown): Buffer | undefined;
}

/** Makes the failure for an array with so many entries in this member of the outermost object, if they are too many. */
export type EntriesLimit = (key: string, entries: number) => Failure | undefined;

interface Scan {
  readonly bytes: Buffer;
  readonly limitOf: EntriesLimit;
  at: number;
  values: number;
  /** Objects and arrays that are open. */
  readonly open: Open[];
  /** Start of the bytes that are not in `pieces` yet. */
  plainFrom: number;
  /** Bytes in `pieces`, without marks. */
  plainBytes: number;
  readonly pieces: Buffer[];
  readonly longStrings: Buffer[];
}

interface Open {
  /** The keys of an object so far. */
  readonly keys: Set<string> | undefined;
  /** The member of the outermost object that this array is. */
  readonly member: string | undefined;
  /** An object's next string is a key. */
  isKeyNext: boolean;
  lastKey: string;
  commas: number;
}

/**
 * Reads the bytes of a JSON text without building anything, so that depth, number of values and length are bounded
 * before `JSON.parse` sees it; `JSON.parse` decides whether it is valid JSON. A native search finds the end of long strings,
 * such as an image in base64; they are left out of the text.
 *
 * @throws Failure MESSAGE_INVALID, also for two equal keys in an object; what `limitOf` makes
 */
export function scanJson(bytes: Uint8Array, limitOf: EntriesLimit = () => undefined): ScannedJson {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const scan: Scan = {
    bytes: buffer,
    limitOf,
    at: 0,
    values: 0,
    open: [],
    plainFrom: 0,
    plainBytes: 0,
    pieces: [],
    longStrings: [],
  };
  while (scan.at < buffer.length) {
    step(scan);
    checkPlain(scan);
  }
  for (const one of scan.open) checkEntries(scan, one);
  scan.pieces.push(buffer.subarray(scan.plainFrom));
  return {
    text: jsonText(Buffer.concat(scan.pieces)),
    longString: (value) =>
      typeof value === 'string' && value.startsWith(marker)
        ? scan.longStrings[Number(value.slice(marker.length))]
        : undefined,
  };
}

function step(scan: Scan): void {
  const inner = scan.open.at(-1);
  switch (scan.bytes[scan.at++]) {
    case 0x22: // "
      readString(scan, inner);
      break;
    case 0x7b: // {
      enter(scan, new Set(), inner);
      break;
    case 0x5b: // [
      enter(scan, undefined, inner);
      break;
    case 0x7d: // }
    case 0x5d: // ]
      if (inner !== undefined) checkEntries(scan, inner);
      scan.open.pop();
      break;
    case 0x2c: // ,
      count(scan);
      if (inner === undefined) break;
      inner.commas++;
      inner.isKeyNext = inner.keys !== undefined;
      break;
    default:
      break;
  }
}

function enter(scan: Scan, keys: Set<string> | undefined, outer: Open | undefined): void {
  count(scan);
  const isMember = keys === undefined && scan.open.length === 1 && outer?.keys !== undefined;
  const member = isMember ? outer.lastKey : undefined;
  scan.open.push({ keys, member, isKeyNext: keys !== undefined, lastKey: '', commas: 0 });
  if (scan.open.length > maxDepth) throw tooDeep(scan.open.length);
}

/** Reads on from behind the opening quote. */
function readString(scan: Scan, inner: Open | undefined): void {
  const from = scan.at;
  let end = from;
  for (;;) {
    count(scan);
    end = scan.bytes.indexOf(0x22, scan.at);
    // Not closed: the rest is kept, and JSON.parse says so.
    if (end === -1) end = scan.bytes.length;
    scan.at = Math.min(end + 1, scan.bytes.length);
    if (!isEscaped(scan.bytes, from, end)) break;
  }
  const raw = scan.bytes.subarray(from, end);
  if (inner?.isKeyNext) noteKey(inner, raw);
  if (raw.length < longBytes || end === scan.bytes.length) return;
  const plain = scan.bytes.subarray(scan.plainFrom, from - 1);
  scan.plainBytes += plain.length;
  scan.plainFrom = scan.at;
  scan.pieces.push(plain, Buffer.from(`"${marker}${scan.longStrings.length}"`));
  scan.longStrings.push(raw);
}

/** Whether an odd number of backslashes is before this byte of a string that begins at `from`. */
function isEscaped(bytes: Buffer, from: number, at: number): boolean {
  let first = at;
  // No text that is taken has a longer run.
  const least = Math.max(from, at - maxTextBytes);
  while (first > least && bytes[first - 1] === 0x5c) first--;
  return (at - first) % 2 === 1 && at < bytes.length;
}

function noteKey(inner: Open, raw: Buffer): void {
  inner.isKeyNext = false;
  const key = unescaped(raw.subarray(0, longBytes).toString());
  inner.lastKey = key;
  if (inner.keys?.has(key)) {
    const shown = key.slice(0, 100);
    throw new Failure('MESSAGE_INVALID', `The JSON has the key "${shown}" twice in one object.`, {
      option: shown,
    });
  }
  inner.keys?.add(key);
}

function unescaped(text: string): string {
  if (!text.includes('\\')) return text;
  try {
    return JSON.parse(`"${text}"`);
  } catch {
    return text;
  }
}

function count(scan: Scan): void {
  if (++scan.values <= maxValues) return;
  for (const one of scan.open) checkEntries(scan, one);
  throw tooManyValues(scan.values);
}

function checkEntries(scan: Scan, { member, commas }: Open): void {
  const failure = member !== undefined && commas > 0 && scan.limitOf(member, commas + 1);
  if (failure) throw failure;
}

/** Limits the text without its long strings, which is copied and parsed. */
function checkPlain(scan: Scan): void {
  const plainBytes = scan.plainBytes + scan.at - scan.plainFrom;
  if (plainBytes <= maxJsonBytes) return;
  throw new Failure(
    'MESSAGE_INVALID',
    `The JSON has at least ${plainBytes} bytes beside its long strings; the limit is ${maxJsonBytes}.`,
    { limit: maxJsonBytes, actual: plainBytes },
  );
}

/** @throws Failure MESSAGE_INVALID */
export function jsonText(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new Failure('MESSAGE_INVALID', 'The JSON is not UTF-8.', {}, { cause });
  }
}
