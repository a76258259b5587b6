import { type ChunkTidier, createChunkTidier } from './chunk-lines.ts';

/*
 * Rewrites heads of responses for a strict parser. undici's refuses what other clients accept: bare LF, folded
 * headers, an unrequested 100 (Continue), the same length twice, and chunks beside a length. None of these is ambiguous
 * for a client that reads one response at a time, so they are rewritten to what they mean. Everything else stays
 * unchanged, and the parser refuses it.
 */

/** Longest head of a response, in bytes: about as much as curl reads. */
export const maxHeadBytes = 256 * 1024;

const cr = 13;
const lf = 10;

/** Characters that RFC 9110, 5.6.2 allows in a header's name. */
const token = /^[!#$%&'*+.^_`|~\w-]+$/;

interface Header {
  readonly name: string;
  readonly value: string;
}

/** Rewrites the heads among the bytes of one connection, and the lines between chunks. */
export interface HeadTidier {
  /** A request has been sent: the next byte begins the head of a response. */
  expectHead(): void;
  /** Bytes for the parser, made of the bytes that arrived; empty while a head is incomplete. */
  take(bytes: Buffer): Buffer;
  /** The incomplete head that the end of the connection leaves. */
  rest(): Buffer;
}

/** Starts outside of any head: unrequested bytes pass unchanged. */
export function createHeadTidier(): HeadTidier {
  let isHead = false;
  const held = createGrowingBuffer();
  let chunks: ChunkTidier | undefined;

  /** Removes the first complete head from what is held; undefined while there is none. */
  function takeHead(): Buffer | undefined {
    const left = held.bytes();
    if (!isHttp(left)) return held.takeAll();
    const end = endOfHead(left, held.searched);
    if (end !== undefined) return held.take(end);
    // The parser refuses a longer one.
    if (left.length > maxHeadBytes) return held.takeAll();
    held.searched = left.length;
    return undefined;
  }

  /** Removes all complete heads from what is held, and tidies them. */
  function takeHeads(): Buffer[] {
    const tidied: Buffer[] = [];
    while (isHead) {
      const head = takeHead();
      if (head === undefined) break;
      const isComplete = head.at(-1) === lf;
      const status = /^HTTP\/1\.\d (\d{3})/.exec(head.toString('latin1', 0, 12))?.[1];
      // The parser knows what to do with other interim responses.
      if (status !== '100') tidied.push(isComplete ? tidy(head) : head);
      isHead = isComplete && status?.startsWith('1') === true && status !== '101';
    }
    return tidied;
  }

  return {
    expectHead() {
      isHead = true;
      chunks = undefined;
      held.takeAll();
    },

    take(bytes) {
      if (!isHead) return chunks?.take(bytes) ?? bytes;
      const isFirst = held.bytes().length === 0;
      held.append(bytes);
      const heads = takeHeads();
      const head = Buffer.concat(heads);
      if (isHead) return head;
      const body = held.takeAll();
      if (isChunked(heads.at(-1))) chunks = createChunkTidier();
      // Most heads need no change: then nothing is copied.
      else if (isFirst && head.equals(bytes.subarray(0, head.length))) return bytes;
      return Buffer.concat([head, chunks?.take(body) ?? body]);
    },

    rest: () => held.takeAll(),
  };
}

/**
 * Bytes that arrive in pieces, copied a bounded number of times each however small the pieces are: an origin may send a
 * head byte by byte.
 */
function createGrowingBuffer() {
  let buffer: Buffer = Buffer.alloc(0);
  let length = 0;
  const growing = {
    /** Bytes that were searched without success. */
    searched: 0,
    bytes: () => buffer.subarray(0, length),
    append(bytes: Buffer): void {
      if (length === 0) {
        buffer = bytes;
        length = bytes.length;
        return;
      }
      if (length + bytes.length > buffer.length) {
        const larger = Buffer.alloc(Math.max(2 * buffer.length, length + bytes.length));
        buffer.copy(larger, 0, 0, length);
        buffer = larger;
      }
      bytes.copy(buffer, length);
      length += bytes.length;
    },
    /** Removes the first `count` bytes. */
    take(count: number): Buffer {
      const taken = buffer.subarray(0, count);
      buffer = buffer.subarray(count);
      length -= count;
      growing.searched = 0;
      return taken;
    },
    takeAll: (): Buffer => growing.take(length),
  };
  return growing;
}

/** Whether bytes can be the beginning of a response. */
function isHttp(bytes: Buffer): boolean {
  return 'HTTP/1.'.startsWith(bytes.toString('latin1', 0, 7));
}

/**
 * The index after the empty line that ends a head.
 *
 * @param searched - bytes at the start that were searched before
 */
function endOfHead(bytes: Buffer, searched: number): number | undefined {
  const from = Math.max(0, searched - 2);
  for (let at = bytes.indexOf(lf, from); at >= 0; at = bytes.indexOf(lf, at + 1)) {
    if (bytes[at + 1] === lf) return at + 2;
    if (bytes[at + 1] === cr && bytes[at + 2] === lf) return at + 3;
  }
  return undefined;
}

/** Whether a body in chunks follows the head. */
function isChunked(head: Buffer | undefined): boolean {
  return head !== undefined && /^transfer-encoding:[ \t]*chunked[ \t]*\r$/im.test(head.toString('latin1'));
}

/** Rewrites a complete head where needed; a head that cannot be understood is returned unchanged. */
function tidy(head: Buffer): Buffer {
  const text = head.toString('latin1');
  const [statusLine = '', ...lines] = unfold(text).split(/\r?\n/).slice(0, -2);
  const headers = lines.map(headerOf);
  if (!statusLine.startsWith('HTTP/1.') || text.includes('\0') || headers.includes(undefined)) return head;
  const known = (headers as Header[]).filter(({ name }) => token.test(name));
  const tidied = [statusLine, ...withOneLength(known).map(({ name, value }) => `${name}: ${value}`), '', ''];
  return Buffer.from(tidied.join('\r\n'), 'latin1');
}

/** Joins each line that begins with white space to the one before it (RFC 9112, 5.2). */
function unfold(text: string): string {
  return text.replaceAll(/\r?\n[ \t]+(?=\S)/g, ' ');
}

/** Parses a header line; control characters in its value become spaces (RFC 9110, 5.5). */
function headerOf(line: string): Header | undefined {
  const colon = line.indexOf(':');
  if (colon <= 0) return undefined;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  const value = line.slice(colon + 1).replaceAll(/[\x01-\x08\x0a-\x1f\x7f]/g, ' ');
  return { name: line.slice(0, colon).trimEnd(), value: value.trim() };
}

/**
 * Leaves one description of the body's length (RFC 9112, 6.3). The chunked coding overrides a length, and a connection
 * that sent both is not reused. Equal lengths become one. The transfer coding `identity` is removed. Different lengths
 * stay, and the parser refuses them.
 */
function withOneLength(headers: readonly Header[]): readonly Header[] {
  const named = (target: string) => headers.filter(({ name }) => name.toLowerCase() === target);
  const without = (...names: string[]) => headers.filter(({ name }) => !names.includes(name.toLowerCase()));
  const codings = named('transfer-encoding').map(({ value }) => value.toLowerCase());
  const lengths = named('content-length');
  if (codings.length === 1 && codings[0] === 'chunked' && lengths.length > 0) {
    return [...without('content-length', 'connection'), { name: 'Connection', value: 'close' }];
  }
  if (codings.length === 1 && codings[0] === 'identity') {
    return withOneLength(without('transfer-encoding'));
  }
  const values = new Set(lengths.flatMap(({ value }) => value.split(',').map((one) => one.trim())));
  const [length = ''] = values;
  if (values.size !== 1 || !/^\d+$/.test(length)) return headers;
  return [...without('content-length'), { name: 'Content-Length', value: length }];
}
