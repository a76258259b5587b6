import { Buffer } from 'node:buffer';

/** Of tar's records: headers and contents fill whole ones. */
const blockBytes = 512;

/** The end of an archive: two empty blocks. */
export const tarEnd = new Uint8Array(2 * blockBytes);

/**
 * The header of a regular file (POSIX.1-1988 "ustar"): mode 0644, owner 0, time 0, so that equal files have equal headers.
 * A path, or a length, that ustar has no room for gets a pax header (POSIX.1-2001) before it.
 *
 * @param bytes - length of the content
 */
export function tarHeader(path: string, bytes: number): Uint8Array {
  const names = splitPath(path);
  const isLong = bytes >= 8 ** 11;
  if (names !== undefined && !isLong) return ustar(names, bytes, '0');
  const records = [
    ...(names === undefined ? [paxRecord('path', path)] : []),
    ...(isLong ? [paxRecord('size', String(bytes))] : []),
  ];
  const pax = Buffer.concat(records);
  const shortened = { name: Buffer.from(path).subarray(-100), prefix: Buffer.of() };
  return Buffer.concat([
    ustar({ name: Buffer.from('pax_header'), prefix: Buffer.of() }, pax.length, 'x'),
    pax,
    tarPadding(pax.length),
    ustar(names ?? shortened, isLong ? 0 : bytes, '0'),
  ]);
}

/** The zeros after a content. */
export function tarPadding(bytes: number): Uint8Array {
  return new Uint8Array((blockBytes - (bytes % blockBytes)) % blockBytes);
}

interface Names {
  readonly name: Uint8Array;
  readonly prefix: Uint8Array;
}

/** A path as name and prefix, split at a slash; undefined if they have no room for it. */
function splitPath(path: string): Names | undefined {
  const bytes = Buffer.from(path);
  // Some readers decode names that are not ASCII by the locale.
  if (bytes.length !== path.length) return undefined;
  if (bytes.length <= 100) return { name: bytes, prefix: Buffer.of() };
  const slash = bytes.indexOf('/', bytes.length - 101);
  if (slash < 1 || slash > 155 || slash === bytes.length - 1) return undefined;
  return { name: bytes.subarray(slash + 1), prefix: bytes.subarray(0, slash) };
}

function ustar({ name, prefix }: Names, bytes: number, type: '0' | 'x'): Buffer {
  const header = Buffer.alloc(blockBytes);
  const octal = (value: number, at: number, digits: number) =>
    header.write(`${value.toString(8).padStart(digits, '0')}\0`, at, 'latin1');
  header.set(name, 0);
  octal(0o644, 100, 7);
  octal(0, 108, 7);
  octal(0, 116, 7);
  octal(bytes, 124, 11);
  octal(0, 136, 11);
  header.write(' '.repeat(8), 148, 'latin1');
  header.write(type, 156, 'latin1');
  header.write('ustar\x0000', 257, 'latin1');
  octal(0, 329, 7);
  octal(0, 337, 7);
  header.set(prefix, 345);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return header;
}

/** A record of a pax header: its own length in bytes, `key=value` and a line feed. */
function paxRecord(key: string, value: string): Buffer {
  const rest = Buffer.from(` ${key}=${value}\n`);
  let length = rest.length;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}
