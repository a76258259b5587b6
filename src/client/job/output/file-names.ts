import { isUtf8 } from 'node:buffer';

/*
 * File names are bytes, and not always UTF-8. In a string, a byte that is not part of a UTF-8 character is the lone
 * surrogate U+DC00 + byte, as in Python's `surrogateescape` (PEP 383). JSON preserves it, and Python can open such names.
 */

/** A name or path as a string. */
export function textOfName(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString();
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    const lead = bytes[at] as number;
    const length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    const character = bytes.subarray(at, at + length);
    if (character.length === length && isUtf8(character)) {
      text += character.toString();
      at += length;
    } else {
      text += String.fromCharCode(0xdc00 + lead);
      at++;
    }
  }
  return text;
}

/** A path for the functions of `node:fs`. */
export function pathOf(text: string): string | Buffer {
  return text.isWellFormed() ? text : bytesOfName(text);
}

/** A name or path as its bytes. */
export function bytesOfName(text: string): Buffer {
  if (text.isWellFormed()) return Buffer.from(text);
  return Buffer.concat(
    Array.from(text, (character) => {
      const code = character.charCodeAt(0);
      const isByte = character.length === 1 && code >= 0xdc80 && code <= 0xdcff;
      return isByte ? Buffer.of(code - 0xdc00) : Buffer.from(character);
    }),
  );
}
