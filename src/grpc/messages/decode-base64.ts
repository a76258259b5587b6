import { setImmediate as nextTurn } from 'node:timers/promises';

/** Characters that are decoded in one turn of the event loop: a few milliseconds. */
const chunkCharacters = 1024 * 1024;

/** Node's Buffer accepts a mixture of both alphabets and skips other characters. */
const alphabets = { base64: /^[A-Za-z0-9+/]*$/, base64url: /^[A-Za-z0-9_-]*$/ } as const;

/**
 * Decodes base64 as it is in a JSON string, with `/` escaped or line breaks, as some encoders write it, and with either
 * alphabet. Long input takes several turns of the event loop.
 *
 * Uint8Array.prototype.setFromBase64 does the same and is not in Node 24.
 *
 * @param raw - the string's bytes between its quotes
 * @returns undefined where it is not base64
 */
export async function decodeBase64(raw: Buffer): Promise<Uint8Array | undefined> {
  const alphabet = raw.includes('-') || raw.includes('_') ? 'base64url' : 'base64';
  const decoded = Buffer.alloc(Math.ceil(raw.length / 4) * 3);
  let written = 0;
  let rest = '';
  for (let from = 0; from < raw.length; ) {
    if (from > 0) await nextTurn();
    const to = pieceEnd(raw, Math.min(from + chunkCharacters, raw.length));
    const text = withoutSpace(rest + unescaped(raw.toString('latin1', from, to)));
    // The last quantum is kept back: it may be padded, and its padding may be in the next piece.
    const end = Math.max(0, Math.ceil(text.length / 4) - 1) * 4;
    const whole = text.slice(0, end);
    if (!alphabets[alphabet].test(whole)) return undefined;
    written += decoded.write(whole, written, alphabet);
    rest = text.slice(end);
    from = to;
  }
  const last = rest.length === 4 ? rest.replace(/={1,2}$/, '') : rest;
  if (last.length === 1 || !alphabets[alphabet].test(last)) return undefined;
  written += decoded.write(last, written, alphabet);
  return decoded.subarray(0, written);
}

/** An escape has at most six characters, and is not cut. */
function pieceEnd(raw: Buffer, to: number): number {
  if (to === raw.length) return to;
  const backslash = raw.lastIndexOf(0x5c, to - 1);
  return backslash > to - 6 ? backslash : to;
}

function withoutSpace(text: string): string {
  return /\s/.test(text) ? text.replaceAll(/[\t\n\f\r ]+/g, '') : text;
}

function unescaped(text: string): string {
  return text.includes('\\') ? JSON.parse(`"${text}"`) : text;
}
