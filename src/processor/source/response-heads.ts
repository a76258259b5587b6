/*
 * Heads of responses as strict parsers want them. undici's parser refuses what other clients take: bare LF, folded
 * headers, a 100 (Continue) that nobody asked for, the same length twice, and chunks beside a length. None of these is
 * ambiguous for a client that reads one response at a time, so they are rewritten to what they mean. Everything else
 * stays as it came, to be refused.
 */

/** Longest head that is rewritten, in bytes: what the parser takes. It refuses a longer one by itself. */
const maxHeadBytes = 16 * 1024;

const cr = 13;
const lf = 10;

/** What RFC 9110, 5.6.2 allows in a header's name. */
const token = /^[!#$%&'*+.^_`|~\w-]+$/;

interface Header {
  readonly name: string;
  readonly value: string;
}

/** Rewrites the heads among the bytes of one connection. */
export interface HeadTidier {
  /** From the next byte on a response's head is expected: a request has been sent. */
  expectHead(): void;
  /** What to parse for the bytes that came; empty while a head is incomplete. */
  take(bytes: Buffer): Buffer;
  /** What is left of an incomplete head at the end of the connection. */
  rest(): Buffer;
}

/** Starts outside of any head: bytes that nobody asked for pass as they are. */
export function createHeadTidier(): HeadTidier {
  let isHead = false;
  let held: Buffer[] = [];

  function takeAll(bytes?: Buffer): Buffer {
    const all = Buffer.concat(bytes === undefined ? held : [...held, bytes]);
    held = [];
    return all;
  }

  return {
    expectHead() {
      isHead = true;
      held = [];
    },

    take(bytes) {
      if (!isHead) return bytes;
      let left = takeAll(bytes);
      const tidied: Buffer[] = [];
      while (isHead) {
        const end = isHttp(left) ? endOfHead(left) : undefined;
        if (end === undefined && isHttp(left) && left.length <= maxHeadBytes) break;
        const head = left.subarray(0, end ?? left.length);
        left = left.subarray(head.length);
        const status = /^HTTP\/1\.\d (\d{3})/.exec(head.toString('latin1'))?.[1];
        // Other interim responses are for the parser, which knows what to do with them.
        if (status !== '100') tidied.push(end === undefined ? head : tidy(head));
        isHead = end !== undefined && status?.startsWith('1') === true && status !== '101';
      }
      if (isHead) held = [left];
      else tidied.push(left);
      return Buffer.concat(tidied);
    },

    rest: () => takeAll(),
  };
}

/** Whether bytes can be the beginning of a response. */
function isHttp(bytes: Buffer): boolean {
  return 'HTTP/1.'.startsWith(bytes.toString('latin1', 0, 7));
}

/** The index after the empty line that ends a head. */
function endOfHead(bytes: Buffer): number | undefined {
  for (let at = bytes.indexOf(lf); at >= 0; at = bytes.indexOf(lf, at + 1)) {
    if (bytes[at + 1] === lf) return at + 2;
    if (bytes[at + 1] === cr && bytes[at + 2] === lf) return at + 3;
  }
  return undefined;
}

/** A complete head, rewritten if that is needed; unchanged where it is beyond understanding. */
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

/** A header's line; control characters in its value become spaces (RFC 9110, 5.5). */
function headerOf(line: string): Header | undefined {
  const colon = line.indexOf(':');
  if (colon <= 0) return undefined;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  const value = line.slice(colon + 1).replaceAll(/[\x01-\x08\x0a-\x1f\x7f]/g, ' ');
  return { name: line.slice(0, colon).trimEnd(), value: value.trim() };
}

/**
 * Headers that give a body's length in one way (RFC 9112, 6.3): chunks go before a length, and a connection on which
 * both came is not used again; equal lengths are one; the transfer coding `identity` is none. Lengths that differ stay, to
 * be refused.
 */
function withOneLength(headers: readonly Header[]): readonly Header[] {
  const named = (wanted: string) => headers.filter(({ name }) => name.toLowerCase() === wanted);
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
