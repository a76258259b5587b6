import { ClientError } from '../../client-error.ts';
import type { ListFile } from './list-file.ts';

/** The longest line in characters. A longer one is no line of a list. */
const maxLineLength = 16 * 1024 * 1024;

/** A line of a list, with its number from 1. */
export interface Line {
  readonly number: number;
  readonly text: string;
}

/** The text of a list, piece by piece. PowerShell and Excel write UTF-16, which a mark or zeros show. */
export async function* textPieces(file: ListFile, signal: AbortSignal): AsyncGenerator<string> {
  let decoder: TextDecoder | undefined;
  for await (const piece of file.stream(signal)) {
    decoder ??= new TextDecoder(encodingOf(piece));
    yield decoder.decode(piece, { stream: true });
  }
  if (decoder !== undefined) yield decoder.decode();
}

function encodingOf(piece: Uint8Array): string {
  const start = Buffer.from(piece.subarray(0, 4)).toString('latin1');
  if (/^(?:\xff\xfe|[^\0]\0[^\0]\0)/.test(start)) return 'utf-16le';
  return /^(?:\xfe\xff|\0[^\0]\0[^\0])/.test(start) ? 'utf-16be' : 'utf-8';
}

/**
 * The trimmed lines of a list that are not empty, many at a time.
 *
 * @throws ClientError LIST_INVALID
 */
export async function* linesOfList(file: ListFile, signal: AbortSignal): AsyncGenerator<readonly Line[]> {
  let rest = '';
  let number = 0;
  const linesIn = (texts: readonly string[]) =>
    texts.map((text) => ({ number: ++number, text: text.trim() })).filter(({ text }) => text !== '');
  for await (const piece of textPieces(file, signal)) {
    const texts = (rest + piece).split(/\r\n|\n|\r(?=[^\n])/);
    rest = texts.pop() ?? '';
    if (rest.length > maxLineLength) {
      const message = `"${file.name}" has more than ${maxLineLength} characters in line ${number + texts.length + 1}; is it a list?`;
      throw new ClientError('usage', 'LIST_INVALID', message);
    }
    yield linesIn(texts);
  }
  yield linesIn([rest]);
}
