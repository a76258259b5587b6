import { setImmediate as nextTurn } from 'node:timers/promises';

/** Characters that are decoded in one turn of the event loop: a few milliseconds. */
const chunkCharacters = 1024 * 1024;

/**
 * Decodes base64 as it is in a JSON string, with `/` escaped or line breaks, as some encoders write it, and with either
 * alphabet. Long input takes several turns of the event loop.
 *
 * @param raw - the string's bytes between its quotes
 * @returns undefined where it is not base64
 */
export async function decodeBase64(raw: Buffer): Promise<Uint8Array | undefined> {
  const alphabet = raw.includes('-') || raw.includes('_') ? 'base64url' : 'base64';
  const decoded = new Uint8Array(Math.ceil(raw.length / 4) * 3);
  let written = 0;
  let rest = '';
  for (let from = 0; from < raw.length; ) {
    if (from > 0) await nextTurn();
    const to = pieceEnd(raw, Math.min(from + chunkCharacters, raw.length));
    const isLast = to === raw.length;
    try {
      const text = rest + unescaped(raw.toString('latin1', from, to));
      const done = decoded
        .subarray(written)
        .setFromBase64(text, { alphabet, lastChunkHandling: isLast ? 'loose' : 'stop-before-partial' });
      written += done.written;
      rest = text.slice(done.read);
    } catch {
      return undefined;
    }
    from = to;
  }
  return decoded.subarray(0, written);
}

/** An escape has at most six characters, and is not cut. */
function pieceEnd(raw: Buffer, to: number): number {
  if (to === raw.length) return to;
  const backslash = raw.lastIndexOf(0x5c, to - 1);
  return backslash > to - 6 ? backslash : to;
}

function unescaped(text: string): string {
  return text.includes('\\') ? JSON.parse(`"${text}"`) : text;
}
