import type { Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Failure } from '../../../src/failures.ts';
import { createDownloader, type DownloaderOptions } from '../../../src/processor/source/download.ts';
import { sends, startOrigin, startRawOrigin, startTcpOrigin } from '../../support/origin.ts';

const nobodyLeaves = new AbortController().signal;

/** Sends a piece every few milliseconds until the other side closes the connection. */
function drip(socket: Socket, pieces: () => string, everyMs = 5): void {
  const timer = setInterval(() => socket.write(pieces()), everyMs);
  socket.once('close', () => clearInterval(timer));
}

/** Sends forever, as fast as the other side reads. */
function flood(socket: Socket, piece: string): void {
  const many = Buffer.from(piece.repeat(Math.ceil(65_536 / piece.length)));
  const send = (): void => {
    if (!socket.destroyed && socket.write(many)) setImmediate(send);
  };
  socket.on('drain', send);
  send();
}

/** Yields a text character by character, then its last character forever. */
function letters(text: string): () => string {
  let at = 0;
  return () => {
    at += 1;
    return text[Math.min(at, text.length) - 1] ?? '';
  };
}

const ok = 'HTTP/1.1 200 OK\r\n';

interface Hostile {
  readonly respond: (socket: Socket) => void;
  readonly reason: string;
  /** The expected metadata of the failure. */
  readonly metadata?: Readonly<Record<string, string>>;
  readonly options?: Partial<DownloaderOptions>;
}

const hostile: Readonly<Record<string, Hostile>> = {
  'sends its status line one byte at a time': {
    respond: (socket) => drip(socket, letters(`${ok}X: aaaa`)),
    reason: 'ORIGIN_TIMEOUT',
    options: { headersTimeoutMs: 300 },
    metadata: { phase: 'headers', limit_ms: '300' },
  },
  'sends one short header after the other, and never the last': {
    respond: (socket) => {
      socket.write(ok);
      drip(socket, () => 'A: b\r\n');
    },
    reason: 'ORIGIN_TIMEOUT',
    options: { headersTimeoutMs: 300 },
    metadata: { phase: 'headers', limit_ms: '300' },
  },
  'sends headers without an end, as fast as it can': {
    respond: (socket) => {
      socket.write(ok);
      flood(socket, 'A: b\r\n');
    },
    reason: 'ORIGIN_UNREACHABLE',
  },
  'sends one header without an end': {
    respond: (socket) => {
      socket.write(`${ok}A: `);
      flood(socket, 'b');
    },
    reason: 'ORIGIN_UNREACHABLE',
  },
  'sends a status line without an end': {
    respond: (socket) => {
      socket.write('HTTP/1.1 200 ');
      flood(socket, 'O');
    },
    reason: 'ORIGIN_UNREACHABLE',
    // Twice the 1000 bytes of an image, and 1 MiB.
    metadata: { limit: '1050576' },
  },
  'sends early hints without an end': {
    respond: (socket) => flood(socket, 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'),
    reason: 'ORIGIN_UNREACHABLE',
    metadata: { limit: '1050576' },
  },
  'sends early hints now and then, and nothing else': {
    respond: (socket) => drip(socket, () => 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'),
    reason: 'ORIGIN_TIMEOUT',
    options: { timeoutMs: 500, headersTimeoutMs: 500 },
  },
  'says "continue" to what has no body': {
    respond: (socket) => socket.write('HTTP/1.1 100 Continue\r\n\r\n'),
    reason: 'ORIGIN_TIMEOUT',
    options: { headersTimeoutMs: 300 },
    metadata: { phase: 'headers' },
  },
  'says "continue" without an end': {
    respond: (socket) => flood(socket, 'HTTP/1.1 100 Continue\r\n\r\n'),
    reason: 'ORIGIN_UNREACHABLE',
    metadata: { limit: '1050576' },
  },
  'switches to another protocol': {
    respond: (socket) =>
      socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nx'),
    reason: 'ORIGIN_UNREACHABLE',
  },
  'sends its body one byte at a time': {
    respond: (socket) => {
      socket.write(`${ok}Content-Length: 900\r\n\r\n`);
      drip(socket, () => 'x');
    },
    reason: 'ORIGIN_TIMEOUT',
    options: { timeoutMs: 300 },
    metadata: { phase: 'whole', limit_ms: '300' },
  },
  'sends chunks of one byte without an end': {
    respond: (socket) => {
      socket.write(`${ok}Transfer-Encoding: chunked\r\n\r\n`);
      flood(socket, '1\r\nx\r\n');
    },
    reason: 'SOURCE_BYTES_OVER_LIMIT',
    metadata: { limit: '1000' },
  },
  'has a chunk whose size has digits without an end': {
    respond: (socket) => {
      socket.write(`${ok}Transfer-Encoding: chunked\r\n\r\n`);
      flood(socket, '0');
    },
    reason: 'ORIGIN_UNREACHABLE',
    metadata: { limit: '1050576' },
  },
  'has a chunk with an extension without an end': {
    respond: (socket) => {
      socket.write(`${ok}Transfer-Encoding: chunked\r\n\r\n1;`);
      flood(socket, 'a');
    },
    reason: 'ORIGIN_UNREACHABLE',
    metadata: { limit: '1050576' },
  },
  'has trailers without an end': {
    respond: (socket) => {
      socket.write(`${ok}Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n`);
      flood(socket, 'A: b\r\n');
    },
    reason: 'ORIGIN_UNREACHABLE',
  },
  'declares more bytes than it sends, and waits': {
    respond: (socket) => socket.write(`${ok}Content-Length: 900\r\n\r\nimage`),
    reason: 'ORIGIN_TIMEOUT',
    options: { bodyTimeoutMs: 300 },
    metadata: { phase: 'body' },
  },
  'declares more bytes than it sends, and leaves': {
    respond: (socket) => socket.end(`${ok}Content-Length: 900\r\n\r\nimage`),
    reason: 'ORIGIN_UNREACHABLE',
  },
  'declares more bytes than there are numbers for': {
    respond: (socket) => socket.write(`${ok}Content-Length: ${'9'.repeat(30)}\r\n\r\nimage`),
    reason: 'ORIGIN_UNREACHABLE',
  },
  'declares none and sends without an end': {
    respond: (socket) => {
      socket.write(`${ok}\r\n`);
      flood(socket, 'x');
    },
    reason: 'SOURCE_BYTES_OVER_LIMIT',
    metadata: { limit: '1000' },
  },
  'declares a length, and sends chunks without an end': {
    respond: (socket) => {
      socket.write(`${ok}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n`);
      flood(socket, '1\r\nx\r\n');
    },
    reason: 'SOURCE_BYTES_OVER_LIMIT',
    metadata: { limit: '1000' },
  },
  'folds one header without an end': {
    respond: (socket) => {
      socket.write(`${ok}A: b`);
      flood(socket, '\r\n c');
    },
    reason: 'ORIGIN_UNREACHABLE',
  },
  'packs its chunks with gzip': {
    respond: (socket) =>
      socket.write(
        `${ok}Transfer-Encoding: gzip, chunked\r\nConnection: close\r\n\r\n5\r\nimage\r\n0\r\n\r\n`,
      ),
    reason: 'ORIGIN_STATUS',
  },
  'packs its body twice': {
    respond: (socket) =>
      socket.write(`${ok}Content-Encoding: gzip, br\r\nConnection: close\r\nContent-Length: 5\r\n\r\nimage`),
    reason: 'ORIGIN_STATUS',
  },
  'resets the connection at once': {
    respond: (socket) => socket.resetAndDestroy(),
    reason: 'ORIGIN_UNREACHABLE',
  },
  'resets the connection among its headers': {
    respond: (socket) => socket.write(`${ok}Content-Le`, () => socket.resetAndDestroy()),
    reason: 'ORIGIN_UNREACHABLE',
  },
  'resets the connection in the middle of a chunk': {
    respond: (socket) =>
      socket.write(`${ok}Transfer-Encoding: chunked\r\n\r\n9\r\nima`, () => socket.resetAndDestroy()),
    reason: 'ORIGIN_UNREACHABLE',
  },
  'takes the request and never responds': {
    respond: () => {},
    reason: 'ORIGIN_TIMEOUT',
    options: { headersTimeoutMs: 300 },
    metadata: { phase: 'headers' },
  },
  'redirects with a body without an end': {
    respond: (socket) => {
      socket.write('HTTP/1.1 302 Found\r\nLocation: ftp://a.example/\r\nTransfer-Encoding: chunked\r\n\r\n');
      flood(socket, '1\r\nx\r\n');
    },
    reason: 'URL_SCHEME_UNSUPPORTED',
  },
  'redirects to a place as long as its headers may be': {
    respond: (socket) => socket.write(`HTTP/1.1 302 Found\r\nLocation: /${'a'.repeat(15_000)}\r\n\r\n`),
    reason: 'ORIGIN_REDIRECTS_OVER_LIMIT',
  },
};

/** Downloads from a hostile origin and then, with the same downloader, from a harmless one. */
async function outcome(url: string, options: Partial<DownloaderOptions>): Promise<Failure> {
  const downloader = createDownloader({
    allowedHosts: new Set(['127.0.0.1']),
    maxBytes: 1000,
    // Long enough for every other limit to come first.
    timeoutMs: 5000,
    ...options,
  });
  onTestFinished(() => downloader.close());
  const error = await downloader
    .download(new URL(url), undefined, nobodyLeaves)
    .catch((thrown: unknown) => thrown);
  await using good = await startOrigin(sends('image'));
  const { content } = await downloader.download(new URL(good.url()), undefined, nobodyLeaves);
  expect(Buffer.from(content ?? []).toString()).toBe('image');
  if (!(error instanceof Failure)) throw new Error(`no Failure: ${String(error)}`, { cause: error });
  return error;
}

describe(createDownloader, () => {
  it.each(Object.entries(hostile))(
    'goes on after an origin that %s, and its connection is closed',
    async (_words, { respond, reason, metadata, options }) => {
      await using origin = await startRawOrigin(respond);
      const failure = await outcome(origin.url(), options ?? {});
      expect(failure).toMatchObject({ reason, ...(metadata && { metadata }) });
      await origin.idle();
    },
  );

  it.each([301, 302, 303, 307, 308])(
    'goes on after an origin that redirects by %i to ever new places, and asks it four times',
    async (status) => {
      let visits = 0;
      await using origin = await startOrigin((_request, response) => {
        visits += 1;
        response.writeHead(status, { location: `/${visits}` }).end();
      });
      expect(await outcome(origin.url(), {})).toMatchObject({
        reason: 'ORIGIN_REDIRECTS_OVER_LIMIT',
        metadata: { limit: '3', actual: '4' },
      });
      expect(visits).toBe(4);
    },
  );

  it.each([
    [
      'one byte at a time',
      (socket: Socket) => drip(socket, letters('\x16\x03\x03\x40\x00\x02\x00\x3f\xfc\x00')),
      'ORIGIN_TIMEOUT',
      { phase: 'connect' },
    ],
    ['never', () => {}, 'ORIGIN_TIMEOUT', { phase: 'connect' }],
    ['with nonsense', (socket: Socket) => flood(socket, 'nonsense'), 'ORIGIN_UNREACHABLE', {}],
    ['with a reset', (socket: Socket) => socket.resetAndDestroy(), 'ORIGIN_UNREACHABLE', {}],
  ] as [string, (socket: Socket) => void, string, Record<string, string>][])(
    'goes on after an origin that shakes hands for TLS %s',
    async (_words, respond, reason, metadata) => {
      await using origin = await startTcpOrigin(respond);
      const url = origin.url().replace('http:', 'https:');
      expect(await outcome(url, { connectTimeoutMs: 300 })).toMatchObject({ reason, metadata });
      await origin.idle();
    },
  );
});
