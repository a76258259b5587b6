import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { getCACertificates, setDefaultCACertificates, type TLSSocket } from 'node:tls';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { Failure } from '../../../src/failures.ts';
import {
  createDownloader,
  type Downloader,
  type DownloaderOptions,
  type Validators,
} from '../../../src/processor/source/download.ts';
import { createRequestHeaders } from '../../../src/processor/source/request-headers.ts';
import {
  type Origin,
  redirects,
  routes,
  sends,
  startOrigin,
  startRawOrigin,
  startTlsOrigin,
} from '../../support/origin.ts';
import { findProgram } from '../../support/tools.ts';

const openssl = findProgram('openssl') ?? '';

function downloaderOf(options: Partial<DownloaderOptions> = {}): Downloader {
  const downloader = createDownloader({
    allowedHosts: new Set(['127.0.0.1']),
    maxBytes: 1000,
    timeoutMs: 20_000,
    ...options,
  });
  onTestFinished(() => downloader.close());
  return downloader;
}

const nobodyLeaves = new AbortController().signal;

/** Downloads as text. */
async function text(url: string, options?: Partial<DownloaderOptions>): Promise<string | undefined> {
  const { content } = await downloaderOf(options).download(new URL(url), undefined, nobodyLeaves);
  return content && Buffer.from(content).toString();
}

/** The failure of a download: its reason and metadata. */
async function failure(
  url: string,
  options?: Partial<DownloaderOptions>,
  signal = nobodyLeaves,
): Promise<Failure> {
  const error = await downloaderOf(options)
    .download(new URL(url), undefined, signal)
    .catch((thrown: unknown) => thrown);
  if (!(error instanceof Failure)) throw new Error('no Failure', { cause: error });
  return error;
}

/** Responds with headers and the first piece of a body, then stalls. */
const stallsInBody: RequestListener = (_request, response) => {
  response.writeHead(200, { 'content-length': '100' }).write('abc');
};

/** Responds with an endless body, piece by piece. */
const neverEnds: RequestListener = (_request, response) => {
  response.writeHead(200);
  const timer = setInterval(() => response.write('x'), 5);
  response.once('close', () => clearInterval(timer));
};

describe(createDownloader, () => {
  describe('what is sent', () => {
    it('is a GET that accepts unencoded images, with a fixed User-Agent', async () => {
      await using origin = await startOrigin(sends('image'));
      expect(await text(origin.url('/a%20b.png?size=1&x=%2F#part'))).toBe('image');
      expect(origin.requests).toEqual([
        {
          method: 'GET',
          path: '/a%20b.png?size=1&x=%2F',
          headers: {
            accept: 'image/*,*/*;q=0.8',
            'accept-encoding': 'identity',
            'user-agent': 'image-processor',
            connection: 'keep-alive',
            host: `127.0.0.1:${origin.port}`,
          },
        },
      ]);
    });

    it('sends the User-Agent of the operator', async () => {
      await using origin = await startOrigin(sends('image'));
      const requestHeaders = createRequestHeaders('images/1.0 (ops@example.com)');
      expect(await text(origin.url(), { requestHeaders })).toBe('image');
      expect(origin.requests[0]?.headers['user-agent']).toBe('images/1.0 (ops@example.com)');
    });

    it("contains the origin's own headers and no other origin's, also after a redirect", async () => {
      await using other = await startOrigin(routes({ '/c': redirects(302, '/d'), '/d': sends('image') }));
      await using origin = await startOrigin(
        routes({ '/a': redirects(302, '/b'), '/b': redirects(302, other.url('/c')) }),
      );
      const { host } = new URL(origin.url());
      const requestHeaders = createRequestHeaders('image-processor', () => ({
        [host]: { authorization: 'Bearer secret', accept: 'image/png' },
      }));
      expect(await text(origin.url('/a'), { requestHeaders })).toBe('image');
      const seen = [...origin.requests, ...other.requests];
      expect(seen.map(({ headers }) => [headers.authorization, headers.accept])).toEqual([
        ['Bearer secret', 'image/png'],
        ['Bearer secret', 'image/png'],
        [undefined, 'image/*,*/*;q=0.8'],
        [undefined, 'image/*,*/*;q=0.8'],
      ]);
    });

    it('is no referrer after a redirect, and a cookie only for the host that set it', async () => {
      await using origin = await startOrigin(
        routes({
          '/a': (_request, response) =>
            response.writeHead(302, { location: '/b', 'set-cookie': 'a=1' }).end(),
          '/b': sends('image'),
        }),
      );
      expect(await text(origin.url('/a'))).toBe('image');
      expect(Object.keys(origin.requests[1]?.headers ?? {}).sort()).toEqual([
        'accept',
        'accept-encoding',
        'connection',
        'cookie',
        'host',
        'user-agent',
      ]);
    });

    it.each([
      ['file:///etc/passwd', 'URL_SCHEME_UNSUPPORTED'],
      ['ftp://127.0.0.1/', 'URL_SCHEME_UNSUPPORTED'],
      ['data:image/png;base64,AAAA', 'URL_SCHEME_UNSUPPORTED'],
      ['gopher://127.0.0.1:6379/_PING', 'URL_SCHEME_UNSUPPORTED'],
      ['unix:///var/run/docker.sock', 'URL_SCHEME_UNSUPPORTED'],
      ['http://name:password@127.0.0.1/', 'URL_INVALID'],
      ['http://name@127.0.0.1/', 'URL_INVALID'],
      ['http://:password@127.0.0.1/', 'URL_INVALID'],
    ])('is nothing for %s', async (url, reason) => {
      expect(await failure(url)).toMatchObject({ reason });
    });
  });

  describe('a body', () => {
    it('is read whole with a declared length, in a buffer of its own', async () => {
      const bytes = Buffer.alloc(300_000, 'abcdefg');
      await using origin = await startOrigin(sends(bytes));
      const { content } = await downloaderOf({ maxBytes: 300_000 }).download(
        new URL(origin.url()),
        undefined,
        nobodyLeaves,
      );
      expect(bytes.equals(content ?? new Uint8Array())).toBe(true);
      expect(content?.buffer.byteLength).toBe(300_000);
    });

    it('is read whole in chunks without a declared length, in a buffer of its own', async () => {
      const bytes = Buffer.alloc(300_000, 'abcdefg');
      await using origin = await startOrigin((_request, response) => {
        for (let at = 0; at < bytes.length; at += 1000) response.write(bytes.subarray(at, at + 1000));
        response.end();
      });
      const { content } = await downloaderOf({ maxBytes: 1_000_000 }).download(
        new URL(origin.url()),
        undefined,
        nobodyLeaves,
      );
      expect(bytes.equals(content ?? new Uint8Array())).toBe(true);
      expect(content?.buffer.byteLength).toBe(300_000);
    });

    it('is read whole when only the end of the connection ends it', async () => {
      await using origin = await startRawOrigin((socket) => socket.end('HTTP/1.0 200 OK\r\n\r\nimage'));
      expect(await text(origin.url())).toBe('image');
    });

    it('is accepted whatever its Content-Type', async () => {
      await using origin = await startOrigin(sends('<html>', { 'content-type': 'text/html' }));
      expect(await text(origin.url())).toBe('<html>');
    });

    it('may have as many bytes as the limit and no more, declared or not', async () => {
      await using origin = await startOrigin(
        routes({
          '/declared/1000': sends('x'.repeat(1000)),
          '/declared/1001': sends('x'.repeat(1001)),
          '/chunked/1000': (_request, response) => {
            response.write('x'.repeat(600));
            response.end('x'.repeat(400));
          },
          '/chunked/1001': (_request, response) => {
            response.write('x'.repeat(600));
            response.end('x'.repeat(401));
          },
        }),
      );
      expect((await text(origin.url('/declared/1000')))?.length).toBe(1000);
      expect((await text(origin.url('/chunked/1000')))?.length).toBe(1000);
      const tooMany = { reason: 'SOURCE_BYTES_OVER_LIMIT', metadata: { limit: '1000', actual: '1001' } };
      expect(await failure(origin.url('/declared/1001'))).toMatchObject(tooMany);
      expect(await failure(origin.url('/chunked/1001'))).toMatchObject(tooMany);
    });

    it('is refused by its declared length before it arrives, and the connection is closed', async () => {
      await using origin = await startOrigin((_request, response) => {
        response.writeHead(200, { 'content-length': '9000000000000' }).flushHeaders();
      });
      expect(await failure(origin.url())).toMatchObject({
        reason: 'SOURCE_BYTES_OVER_LIMIT',
        metadata: { limit: '1000', actual: '9000000000000' },
      });
      await origin.idle();
    });

    it('that never ends is cut off at the limit, and the connection closed', async () => {
      await using origin = await startOrigin(neverEnds);
      expect(await failure(origin.url(), { maxBytes: 10 })).toMatchObject({
        reason: 'SOURCE_BYTES_OVER_LIMIT',
        metadata: { limit: '10' },
      });
      await origin.idle();
    });

    it('that is longer than declared counts as far as declared', async () => {
      await using origin = await startRawOrigin((socket) =>
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nimageHTTP/1.1 200 OK\r\n\r\nmore'),
      );
      const downloader = downloaderOf();
      for (const _time of [1, 2]) {
        const { content } = await downloader.download(new URL(origin.url()), undefined, nobodyLeaves);
        expect(Buffer.from(content ?? []).toString()).toBe('image');
      }
      // The surplus bytes spoil the connection, so the second download gets its own.
      expect(origin.connections).toBe(2);
    });

    it.each([
      ['shorter than declared', 'Content-Length: 50\r\n\r\nimage'],
      ['broken off between two chunks', 'Transfer-Encoding: chunked\r\n\r\n5\r\nimage\r\n'],
      ['broken off within a chunk', 'Transfer-Encoding: chunked\r\n\r\n50\r\nimage'],
    ])('that is %s is no image', async (_words, rest) => {
      await using origin = await startRawOrigin((socket) => socket.end(`HTTP/1.1 200 OK\r\n${rest}`));
      expect(await failure(origin.url())).toMatchObject({
        reason: 'ORIGIN_UNREACHABLE',
        message: `127.0.0.1:${origin.port} closed the connection before its response was complete. Check the URL, or try again later.`,
      });
    });

    it('whose connection is reset midway is no image', async () => {
      await using origin = await startOrigin((request, response) => {
        response.writeHead(200, { 'content-length': '50' }).write('image', () => {
          request.socket.resetAndDestroy();
        });
      });
      expect(await failure(origin.url())).toMatchObject({ reason: 'ORIGIN_UNREACHABLE' });
    });

    it.each([
      ['declared', sends('')],
      ['chunked', ((_request, response) => response.writeHead(200).end()) satisfies RequestListener],
    ])('that is empty (%s) is no image', async (_words, response) => {
      await using origin = await startOrigin(response);
      expect(await failure(origin.url())).toMatchObject({ reason: 'SOURCE_EMPTY' });
    });

    it.each([
      ['gzip', gzipSync],
      ['X-Gzip', gzipSync],
      ['br', brotliCompressSync],
      ['deflate', deflateSync],
      ['deflate', deflateRawSync],
      ['zstd', zstdCompressSync],
      ['deflate, gzip', (bytes: Uint8Array) => gzipSync(deflateSync(bytes))],
      ['gzip,aws-chunked', gzipSync],
      ['none', Buffer.from],
      ['UTF-8', Buffer.from],
      ['binary', Buffer.from],
      ['base64', Buffer.from],
      ['aws-chunked', Buffer.from],
      ['', Buffer.from],
      // Storage whose metadata states "gzip" although the file is not compressed.
      ['gzip', Buffer.from],
    ])('with the Content-Encoding %j is taken', async (coding, encode) => {
      const body = encode(Buffer.from('image'.repeat(200)));
      await using origin = await startOrigin(sends(body, { 'content-encoding': coding }));
      expect(await text(origin.url())).toBe('image'.repeat(200));
    });

    const zeros = Buffer.alloc(3_000_000);
    it.each([
      ['gzip', gzipSync(zeros)],
      ['br', brotliCompressSync(zeros)],
      ['deflate', deflateSync(zeros)],
      ['zstd', zstdCompressSync(zeros)],
    ])('that decodes (%s) to more than the limit is aborted there', async (coding, bomb) => {
      await using origin = await startOrigin(sends(bomb, { 'content-encoding': coding }));
      const over = await failure(origin.url(), { maxBytes: 200_000 });
      expect(over).toMatchObject({ reason: 'SOURCE_BYTES_OVER_LIMIT', metadata: { limit: '200000' } });
      // At most one more piece of the decoder.
      expect(Number(over.metadata.actual)).toBeLessThan(400_000);
    });

    it.each([
      ['is cut off', 'gzip', gzipSync('image'.repeat(200)).subarray(0, -5)],
      ['is something else', 'br', Buffer.from('image')],
      // Empty blocks of deflate, compressed once more: they decode to nothing, for as long as they come.
      [
        'grows on the way',
        'deflate, gzip',
        gzipSync(Buffer.alloc(3_000_000, Buffer.from([0, 0, 0, 255, 255]))),
      ],
      ['was encoded too often', 'gzip, gzip, gzip, gzip', gzipSync('image')],
    ])('that %s is no image', async (_words, coding, body) => {
      await using origin = await startOrigin(sends(body, { 'content-encoding': coding }));
      expect(await failure(origin.url())).toMatchObject({
        reason: 'ORIGIN_STATUS',
        message: expect.stringContaining('sent a body that its Content-Encoding does not decode'),
        isRetryable: false,
      });
    });

    it('that breaks off while it is decoded is reported as a lost connection', async () => {
      await using origin = await startOrigin((_request, response) => {
        response.writeHead(200, { 'content-encoding': 'gzip', 'content-length': '900' });
        response.write(gzipSync('image').subarray(0, 12), () => response.destroy());
      });
      expect(await failure(origin.url())).toMatchObject({ reason: 'ORIGIN_UNREACHABLE', isRetryable: true });
    });

    it('with the encoding identity is accepted', async () => {
      await using origin = await startOrigin(sends('image', { 'content-encoding': 'Identity' }));
      expect(await text(origin.url())).toBe('image');
    });
  });

  describe('a status', () => {
    it('203 counts as 200', async () => {
      await using origin = await startOrigin((_request, response) => response.writeHead(203).end('image'));
      expect(await text(origin.url())).toBe('image');
    });

    it.each([201, 202, 204, 205, 206, 226, 304, 305, 400, 401, 403, 404, 410, 416, 451, 600])(
      '%i is no image',
      async (status) => {
        await using origin = await startOrigin((_request, response) =>
          response.writeHead(status, { location: '/elsewhere' }).end(),
        );
        const { host } = new URL(origin.url());
        expect(await failure(origin.url())).toMatchObject({
          reason: 'ORIGIN_STATUS',
          message: `${host} responded with ${status}. Check that the URL leads to an image.`,
          metadata: { host, status: String(status) },
          isRetryable: false,
        });
        expect(origin.requests.length).toBe(1);
      },
    );

    it('300 is no image if it names no choice', async () => {
      await using origin = await startOrigin((_request, response) => response.writeHead(300).end('image'));
      expect(await failure(origin.url())).toMatchObject({ reason: 'ORIGIN_STATUS' });
    });

    it.each([
      ['bytes 0-4/5', 'image'],
      ['bytes 0-4/6', undefined],
      ['bytes 1-5/6', undefined],
      ['bytes 0-4/*', undefined],
      ['pages 0-4/5', undefined],
    ])(
      '206 with Content-Range: %s counts as 200 only where it contains all bytes',
      async (range, content) => {
        await using origin = await startOrigin((_request, response) =>
          response.writeHead(206, { 'content-range': range }).end('image'),
        );
        if (content !== undefined) expect(await text(origin.url())).toBe(content);
        else expect(await failure(origin.url())).toMatchObject({ reason: 'ORIGIN_STATUS' });
      },
    );

    it.each([
      [408, undefined, undefined],
      [425, '0', 1],
      [429, '7', 7],
      [500, '61', 60],
      [502, 'soon', undefined],
      [503, new Date(Date.now() + 3_600_000).toUTCString(), 60],
      [504, 'Sun, 06 Nov 1994 08:49:37 GMT', 1],
      [520, '-5', undefined],
    ])('%i with Retry-After: %s is busy for %s seconds', async (status, retryAfter, seconds) => {
      await using origin = await startOrigin((_request, response) =>
        response.writeHead(status, retryAfter === undefined ? {} : { 'retry-after': retryAfter }).end(),
      );
      const { host } = new URL(origin.url());
      const busy = await failure(origin.url());
      expect(busy).toMatchObject({
        reason: 'ORIGIN_BUSY',
        message: `${host} responded with ${status}. Try again ${seconds === undefined ? 'later' : `in ${seconds} s`}.`,
        isRetryable: true,
      });
      expect((busy as Failure).metadata).toEqual({
        host,
        status: String(status),
        ...(seconds === undefined ? {} : { retry_after_seconds: String(seconds) }),
      });
      expect(origin.requests.length).toBe(1);
    });

    it('that is no image costs only its headers: the body is not read', async () => {
      await using origin = await startOrigin((_request, response) => {
        response.writeHead(404, { 'content-length': '1000000000' }).write('x');
      });
      expect(await failure(origin.url())).toMatchObject({ reason: 'ORIGIN_STATUS' });
      await origin.idle();
    });

    it.each([
      ['of another protocol', 'SSH-2.0-OpenSSH_9.2\r\n'],
      ['without a status', 'HTTP/1.1 2x0 OK\r\n\r\n'],
      ['with a negative length', 'HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nimage'],
      ['with a broken chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n'],
    ])('is needed: a response %s is none', async (_words, response) => {
      await using origin = await startRawOrigin((socket) => socket.write(response));
      expect(await failure(origin.url())).toMatchObject({
        reason: 'ORIGIN_UNREACHABLE',
        message: expect.stringContaining('did not respond in valid HTTP'),
      });
    });

    it.each([
      ['whole', 300_000],
      ['cut off', 262_145],
    ])('with more than 262144 bytes of headers, %s, is refused for that reason', async (words, bytes) => {
      const end = words === 'whole' ? '\r\nContent-Length: 5\r\n\r\nimage' : '';
      await using origin = await startRawOrigin((socket) =>
        socket.write(`HTTP/1.1 200 OK\r\nA: ${'a'.repeat(bytes)}${end}`),
      );
      expect(await failure(origin.url())).toMatchObject({
        reason: 'ORIGIN_UNREACHABLE',
        message: expect.stringContaining('responded with more than 262144 bytes of headers'),
        isRetryable: false,
      });
    });

    const chunks = '3\r\nima\r\n2\r\nge\r\n0\r\n\r\n';
    it.each([
      ['bare LF', 'HTTP/1.1 200 OK\nContent-Length: 5\n\nimage'],
      [
        'bare LF between chunks',
        'HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n3\nima\n2;x=y\nge\n0\nTrailer: x\n\n',
      ],
      [
        'bare LF after some chunks',
        'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nima\n2\nge\r\n0\n\n',
      ],
      [
        '60 KiB of headers',
        `HTTP/1.1 200 OK\r\n${`A: ${'a'.repeat(1000)}\r\n`.repeat(60)}Content-Length: 5\r\n\r\nimage`,
      ],
      [
        'a length and chunks',
        `HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}`,
      ],
      [
        'a length and "identity"',
        'HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\nContent-Length: 5\r\n\r\nimage',
      ],
      ['the same length twice', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-length: 5\r\n\r\nimage'],
      ['the same length twice in one', 'HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\nimage'],
      [
        '"continue" before it',
        'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nimage',
      ],
      [
        'early hints before it',
        'HTTP/1.1 103 Early Hints\r\nLink: </>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nimage',
      ],
      ['a folded header', 'HTTP/1.1 200 OK\r\nX: a\r\n\tb\r\nContent-Length: 5\r\n\r\nimage'],
      ['a space before a colon', 'HTTP/1.1 200 OK\r\nServer : x\r\nContent-Length : 5\r\n\r\nimage'],
      ['a name with a space', 'HTTP/1.1 200 OK\r\nX Bad: 1\r\nContent-Length: 5\r\n\r\nimage'],
      ['a control character', 'HTTP/1.1 200 OK\r\nX: a\x01b\rc\r\nContent-Length: 5\r\n\r\nimage'],
      ['no reason phrase', 'HTTP/1.1 200\r\nContent-Length: 5\r\n\r\nimage'],
    ])('200 with %s is accepted, whole and byte by byte, as in curl', async (_words, response) => {
      await using whole = await startRawOrigin((socket) => socket.write(response, 'latin1'));
      expect(await text(whole.url())).toBe('image');
      await using slow = await startRawOrigin(async (socket) => {
        socket.setNoDelay();
        for (const byte of Buffer.from(response, 'latin1')) {
          await new Promise((resolve) => socket.write(Buffer.of(byte), resolve));
          await new Promise(setImmediate);
        }
      });
      expect(await text(slow.url())).toBe('image');
    });

    it('closes the connection after a length and chunks, since the following bytes are ambiguous', async () => {
      await using origin = await startRawOrigin((socket) =>
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}`),
      );
      const downloader = downloaderOf();
      for (let i = 0; i < 2; i++) await downloader.download(new URL(origin.url()), undefined, nobodyLeaves);
      expect(origin.connections).toBe(2);
    });

    it.each([
      ['two lengths', 'Content-Length: 5\r\nContent-Length: 6'],
      ['two lengths in one', 'Content-Length: 5, 6'],
      ['a length that is none', 'Content-Length: 5\r\nContent-Length: five'],
      ['a line without a colon', 'Garbage\r\nContent-Length: 5'],
      ['a NUL', 'X: a\0b\r\nContent-Length: 5'],
      ['a length and no chunks', 'Content-Length: 5\r\nTransfer-Encoding: chunked'],
    ])('200 with %s is no image', async (_words, headers) => {
      await using origin = await startRawOrigin((socket) =>
        socket.write(`HTTP/1.1 200 OK\r\n${headers}\r\n\r\nimage`),
      );
      expect(await failure(origin.url())).toMatchObject({ reason: 'ORIGIN_UNREACHABLE' });
    });
  });

  describe('a redirect', () => {
    it.each([300, 301, 302, 303, 307, 308])(
      '%i is followed, and all responses are reported',
      async (status) => {
        await using origin = await startOrigin(
          routes({ '/a': redirects(status, '/b#there'), '/b': sends('image', { etag: '"b"' }) }),
        );
        const { responses, content } = await downloaderOf().download(
          new URL(origin.url('/a#here')),
          undefined,
          nobodyLeaves,
        );
        expect(Buffer.from(content ?? []).toString()).toBe('image');
        expect(responses).toMatchObject([
          { url: origin.url('/a'), status, headers: { location: '/b#there' } },
          { url: origin.url('/b'), status: 200, headers: { etag: '"b"', 'content-length': '5' } },
        ]);
      },
    );

    it.each([
      ['x/../b.png?c=d', '/a/b.png?c=d'],
      ['../b.png', '/b.png'],
      ['?c=d', '/a/first?c=d'],
      ['/b%C3%A4r.png', '/b%C3%A4r.png'],
      ['/bär.png', '/b%C3%A4r.png'],
      ['/b c.png', '/b%20c.png'],
    ])('to %s is followed to %s', async (location, path) => {
      await using origin = await startRawOrigin((socket) =>
        socket.end(
          origin.connections === 1
            ? `HTTP/1.1 302 Found\r\nLocation: ${location}\r\nConnection: close\r\n\r\n`
            : 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nimage',
        ),
      );
      const { responses } = await downloaderOf().download(
        new URL(origin.url('/a/first')),
        undefined,
        nobodyLeaves,
      );
      expect(responses[1]?.url).toBe(origin.url(path));
    });

    it('is followed at most three times', async () => {
      await using origin = await startOrigin(
        routes({
          '/0': redirects(302, '/1'),
          '/1': redirects(302, '/2'),
          '/2': redirects(302, '/3'),
          '/3': redirects(302, '/4'),
          '/4': sends('image'),
        }),
      );
      expect(await text(origin.url('/1'))).toBe('image');
      expect(await failure(origin.url('/0'))).toMatchObject({
        reason: 'ORIGIN_REDIRECTS_OVER_LIMIT',
        message: 'The URL redirects more than 3 times. Use the URL that it leads to.',
        metadata: { limit: '3' },
      });
      expect(await text(origin.url('/3'), { maxRedirects: 1 })).toBe('image');
      expect(await failure(origin.url('/4'), { maxRedirects: 0 }).catch(() => 'none')).toBe('none');
      expect(await failure(origin.url('/3'), { maxRedirects: 0 })).toMatchObject({
        reason: 'ORIGIN_REDIRECTS_OVER_LIMIT',
      });
    });

    it('to itself with a cookie is followed, and the cookie is sent only in that chain', async () => {
      await using origin = await startOrigin((request, response) => {
        if (request.headers.cookie === 'seen=1') response.end('image');
        else response.writeHead(302, { location: '/a', 'set-cookie': 'seen=1; Path=/' }).end();
      });
      const downloader = downloaderOf();
      for (let i = 0; i < 2; i++) {
        const { content } = await downloader.download(new URL(origin.url('/a')), undefined, nobodyLeaves);
        expect(Buffer.from(content ?? []).toString()).toBe('image');
      }
      const cookies = origin.requests.map(({ headers }) => headers.cookie);
      expect(cookies).toEqual([undefined, 'seen=1', undefined, 'seen=1']);
    });

    it.each([['localhost'], ['127.0.0.2']])('to %s carries no cookie', async (host) => {
      await using other = await startOrigin(sends('image'), '0.0.0.0');
      await using origin = await startOrigin((_request, response) =>
        response
          .writeHead(302, {
            location: `http://${host}:${other.port}/`,
            'set-cookie': ['a=1', `b=2; Domain=${host}`],
          })
          .end(),
      );
      expect(await text(origin.url(), { allowedHosts: new Set(['127.0.0.1', host]) })).toBe('image');
      expect(other.requests[0]?.headers.cookie).toBeUndefined();
    });

    it.each([
      ['to itself', { '/a': redirects(302, '/a') }, 1],
      ['to itself with another fragment', { '/a': redirects(302, '/a#b') }, 1],
      ['to another and back', { '/a': redirects(302, '/b'), '/b': redirects(302, '/a') }, 2],
    ])('in a circle (%s) is reported as such', async (_words, table, requests) => {
      await using origin = await startOrigin(routes(table));
      expect(await failure(origin.url('/a'))).toMatchObject({
        reason: 'ORIGIN_REDIRECTS_OVER_LIMIT',
        message: 'The URL redirects in a circle. Check the URL.',
      });
      expect(origin.requests.length).toBe(requests);
    });

    it.each([[undefined], [''], ['http://'], ['http://a b/'], ['http://[::1'], ['//:80']])(
      'whose Location is %j leads nowhere',
      async (location) => {
        await using origin = await startOrigin(redirects(302, location));
        expect(await failure(origin.url())).toMatchObject({
          reason: 'ORIGIN_STATUS',
          message: expect.stringContaining('responded with 302 without a valid Location'),
          metadata: { status: '302' },
        });
      },
    );

    it('with two Locations is not followed', async () => {
      await using origin = await startRawOrigin((socket) =>
        socket.end('HTTP/1.1 302 Found\r\nLocation: http://[\r\nLocation: http://[\r\n\r\n'),
      );
      expect(await failure(origin.url())).toMatchObject({ reason: 'ORIGIN_STATUS' });
    });

    it.each([
      ['file:///etc/passwd', 'URL_SCHEME_UNSUPPORTED'],
      ['ftp://127.0.0.1/', 'URL_SCHEME_UNSUPPORTED'],
      ['data:image/png;base64,AAAA', 'URL_SCHEME_UNSUPPORTED'],
      ['javascript:alert(1)', 'URL_SCHEME_UNSUPPORTED'],
      ['http://name:password@127.0.0.1/', 'URL_INVALID'],
    ])('to %s is not followed', async (location, reason) => {
      await using origin = await startOrigin(redirects(302, location));
      const refused = await failure(origin.url());
      expect(refused).toMatchObject({ reason });
      expect(refused.message).toMatch(/^127\.0\.0\.1:\d+ redirects to a URL that (has|contains) /);
    });

    it.each([301, 302, 303, 307, 308])('%i to a private address opens no socket there', async (status) => {
      await using inside = await startOrigin(sends('secret'), '0.0.0.0');
      const ways = ['127.0.0.1', 'localhost', '0.0.0.0', '2130706433', '[::ffff:127.0.0.1]', '127.1'];
      for (const way of ways) {
        const target = `http://${way}:${inside.port}/secret`;
        await using origin = await startOrigin(
          routes({ '/a': redirects(status, '/b'), '/b': redirects(status, target) }),
        );
        const allowedHosts = new Set([`127.0.0.1:${origin.port}`]);
        expect(await failure(origin.url('/a'), { allowedHosts }), way).toMatchObject({
          reason: 'URL_ADDRESS_FORBIDDEN',
          metadata: { host: new URL(target).hostname.replaceAll(/[[\]]/g, '') },
        });
      }
      expect(inside.connections).toBe(0);
    });

    it('with a body is not read: its connection is closed', async () => {
      await using origin = await startOrigin(
        routes({
          '/a': (_request, response) => {
            response.writeHead(302, { location: '/b', 'content-length': '1000000000' }).write('x');
          },
          '/b': sends('image', { connection: 'close' }),
        }),
      );
      expect(await text(origin.url('/a'))).toBe('image');
      await origin.idle();
    });
  });

  describe('validators', () => {
    const ifNoneMatch = (url: string): Validators => ({ url, headers: { 'if-none-match': '"v1"' } });

    /** 304 for the entity-tag "v1", else the image. */
    const revalidates: RequestListener = (request, response) => {
      if (request.headers['if-none-match'] === '"v1"') response.writeHead(304, { etag: '"v1"' }).end();
      else response.writeHead(200, { etag: '"v2"' }).end('image');
    };

    it('are sent with the request, and a 304 has no content', async () => {
      await using origin = await startOrigin(revalidates);
      const { responses, content } = await downloaderOf().download(
        new URL(origin.url('/a#b')),
        ifNoneMatch(origin.url('/a')),
        nobodyLeaves,
      );
      expect(content).toBeUndefined();
      expect(responses).toMatchObject([{ url: origin.url('/a'), status: 304, headers: { etag: '"v1"' } }]);
      expect(origin.requests[0]?.headers['if-none-match']).toBe('"v1"');
    });

    it('are sent to their own URL behind a redirect, and to no other', async () => {
      await using origin = await startOrigin(routes({ '/a': redirects(302, '/b'), '/b': revalidates }));
      const { responses, content } = await downloaderOf().download(
        new URL(origin.url('/a')),
        ifNoneMatch(origin.url('/b')),
        nobodyLeaves,
      );
      expect(content).toBeUndefined();
      expect(responses.map(({ status }) => status)).toEqual([302, 304]);
      expect(origin.requests.map(({ headers }) => headers['if-none-match'])).toEqual([undefined, '"v1"']);
    });

    it('are not sent when the URL redirects to another target', async () => {
      await using origin = await startOrigin(routes({ '/a': redirects(302, '/c'), '/c': revalidates }));
      const { content } = await downloaderOf().download(
        new URL(origin.url('/a')),
        ifNoneMatch(origin.url('/b')),
        nobodyLeaves,
      );
      expect(Buffer.from(content ?? []).toString()).toBe('image');
      expect(origin.requests.map(({ headers }) => headers['if-none-match'])).toEqual([undefined, undefined]);
    });
  });

  describe('time', () => {
    it.each([
      ['connect', 'https:'],
      ['headers', 'http:'],
    ] as const)('is limited for %s', async (phase, protocol) => {
      // Accepts the connection and sends nothing, neither TLS nor HTTP.
      await using origin = await startRawOrigin(() => {});
      const url = origin.url().replace('http:', protocol);
      const host = `127.0.0.1:${origin.port}`;
      expect(await failure(url, { [`${phase}TimeoutMs`]: 50 })).toMatchObject({
        reason: 'ORIGIN_TIMEOUT',
        message: `${host} took longer than 50 ms (${phase}). Try again, or send the image's bytes instead.`,
        metadata: { host, limit_ms: '50', phase },
      });
      await origin.idle();
    });

    it('is limited for a name that does not resolve', async () => {
      const options = { connectTimeoutMs: 50, lookup: () => {} };
      expect(await failure('http://images.example/', options)).toMatchObject({
        reason: 'ORIGIN_TIMEOUT',
        metadata: { limit_ms: '50', phase: 'connect' },
      });
    });

    it('is limited between two pieces of a body', async () => {
      await using origin = await startOrigin(stallsInBody);
      expect(await failure(origin.url(), { bodyTimeoutMs: 50 })).toMatchObject({
        reason: 'ORIGIN_TIMEOUT',
        metadata: { limit_ms: '50', phase: 'body' },
      });
      await origin.idle();
    });

    it('is limited as a whole, for a body that arrives slowly', async () => {
      await using origin = await startOrigin(neverEnds);
      expect(
        await failure(origin.url(), { timeoutMs: 100, bodyTimeoutMs: 5000, maxBytes: 1_000_000 }),
      ).toMatchObject({ reason: 'ORIGIN_TIMEOUT', metadata: { limit_ms: '100', phase: 'whole' } });
      await origin.idle();
    });

    it('is limited as a whole while it connects', async () => {
      const options = { timeoutMs: 50, connectTimeoutMs: 5000, lookup: () => {} };
      expect(await failure('http://images.example/', options)).toMatchObject({
        reason: 'ORIGIN_TIMEOUT',
        metadata: { limit_ms: '50', phase: 'whole' },
      });
    });
  });

  describe('a caller that leaves', () => {
    it('during the body ends the download, and the connection', async () => {
      await using origin = await startOrigin(stallsInBody);
      const caller = new AbortController();
      const cancelled = failure(origin.url(), {}, caller.signal);
      await expect.poll(() => origin.requests.length).toBe(1);
      caller.abort();
      expect(await cancelled).toMatchObject({ reason: 'CANCELLED' });
      await origin.idle();
    });

    it('before the headers ends the download, and the connection', async () => {
      await using origin = await startOrigin(() => {});
      const caller = new AbortController();
      const late = failure(origin.url(), {}, caller.signal);
      await expect.poll(() => origin.requests.length).toBe(1);
      caller.abort(new DOMException('too late', 'TimeoutError'));
      expect(await late).toMatchObject({ reason: 'DEADLINE_EXCEEDED' });
      await origin.idle();
    });

    it('during the lookup is rejected at once', async () => {
      const caller = new AbortController();
      const lookup = () => caller.abort();
      expect(await failure('http://images.example/', { lookup }, caller.signal)).toMatchObject({
        reason: 'CANCELLED',
      });
    });

    it('before the start causes no lookup', async () => {
      const asked: string[] = [];
      const lookup: DownloaderOptions['lookup'] = (hostname) => asked.push(hostname);
      expect(await failure('http://images.example/', { lookup }, AbortSignal.abort())).toMatchObject({
        reason: 'CANCELLED',
      });
      expect(asked).toEqual([]);
    });
  });

  it('reuses its connections', async () => {
    await using origin = await startOrigin(sends('image'));
    const downloader = downloaderOf();
    for (let time = 0; time < 20; time += 1) {
      await downloader.download(new URL(origin.url()), undefined, nobodyLeaves);
    }
    // undici opens a second one if the first has only just become free.
    expect(origin.connections).toBeLessThanOrEqual(2);
  });

  it('limits the bytes of each response, not those of a connection', async () => {
    // A limit of 1.2 MiB on the wire for one response, and 4 MB over one connection.
    const bytes = Buffer.alloc(100_000, 'abcdefg');
    await using origin = await startOrigin(sends(bytes));
    const downloader = downloaderOf({ maxBytes: 100_000 });
    for (let time = 0; time < 40; time += 1) {
      const { content } = await downloader.download(new URL(origin.url()), undefined, nobodyLeaves);
      expect(bytes.equals(content ?? new Uint8Array())).toBe(true);
    }
    expect(origin.connections).toBeLessThanOrEqual(2);
  });

  describe('a kept connection', () => {
    const response = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nimage';
    /** Responds to the first request of each connection, and calls `second` for the second. */
    const startStale = (atSecond: (socket: Socket) => void, afterFirst?: (socket: Socket) => void) => {
      const served = new WeakSet<Socket>();
      return startRawOrigin((socket) => {
        if (served.has(socket)) return atSecond(socket);
        served.add(socket);
        socket.write(response, () => afterFirst?.(socket));
      });
    };
    const stale: [string, () => Promise<Origin>][] = [
      ['closed at the next request', () => startStale((socket) => socket.end())],
      ['reset at the next request', () => startStale((socket) => socket.resetAndDestroy())],
      [
        'closed a little later',
        () =>
          startStale(
            () => {},
            (socket) => setTimeout(() => socket.end(), 2),
          ),
      ],
    ];
    it.each(stale)('that the origin has %s fails no download', async (_words, start) => {
      await using origin = await start();
      const downloader = downloaderOf();
      const one = async () => {
        const { content } = await downloader.download(new URL(origin.url()), undefined, nobodyLeaves);
        return Buffer.from(content ?? []).toString();
      };
      for (let i = 0; i < 10; i++) {
        expect(await Promise.all([one(), one(), one(), one()])).toEqual(Array(4).fill('image'));
      }
    });

    it('on which the origin stays silent is given up in the time for a response, without a retry', async () => {
      let requests = 0;
      await using origin = await startRawOrigin((socket) => {
        requests += 1;
        if (requests === 1) socket.write(response);
      });
      const downloader = downloaderOf({ headersTimeoutMs: 200 });
      await downloader.download(new URL(origin.url()), undefined, nobodyLeaves);
      // undici keeps the connection from the next turn of the loop on.
      await sleep(20);
      const again = downloader.download(new URL(origin.url()), undefined, nobodyLeaves);
      await expect(again).rejects.toMatchObject({ reason: 'ORIGIN_TIMEOUT', metadata: { phase: 'headers' } });
      expect([requests, origin.connections]).toEqual([2, 1]);
    });

    it('that breaks within a response is not retried', async () => {
      let requests = 0;
      await using origin = await startRawOrigin((socket) => {
        requests += 1;
        if (requests === 1) socket.write(response);
        else socket.end('HTTP/1.1 200 OK\r\nContent-Le');
      });
      const downloader = downloaderOf();
      await downloader.download(new URL(origin.url()), undefined, nobodyLeaves);
      const again = downloader.download(new URL(origin.url()), undefined, nobodyLeaves);
      await expect(again).rejects.toMatchObject({ reason: 'ORIGIN_UNREACHABLE' });
      expect(requests).toBe(2);
    });

    it('is not the cause when a new connection ends without a response: no retry', async () => {
      await using origin = await startRawOrigin((socket) => socket.end());
      expect(await failure(origin.url())).toMatchObject({ reason: 'ORIGIN_UNREACHABLE' });
      expect(origin.connections).toBe(1);
    });
  });

  describe('an origin that is not there', () => {
    it('is ORIGIN_UNREACHABLE when it refuses the connection', async () => {
      const origin = await startOrigin(sends('image'));
      const url = origin.url();
      await origin[Symbol.asyncDispose]();
      const refused = await failure(url);
      expect(refused).toMatchObject({
        reason: 'ORIGIN_UNREACHABLE',
        message: `127.0.0.1:${origin.port} refused the connection. Check the URL, or try again later.`,
      });
      expect(refused.cause).toMatchObject({ code: 'ECONNREFUSED' });
    });

    it('is ORIGIN_UNREACHABLE when it closes the connection without a response', async () => {
      await using origin = await startRawOrigin((socket) => socket.destroy());
      expect(await failure(origin.url())).toMatchObject({ reason: 'ORIGIN_UNREACHABLE' });
    });

    it('is refused as a private one when its name has no address', async () => {
      const lookup: DownloaderOptions['lookup'] = (_hostname, _options, callback) => {
        callback(Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' }), []);
      };
      expect(await failure('http://images.example/', { lookup })).toMatchObject({
        reason: 'URL_ADDRESS_FORBIDDEN',
        message: expect.stringContaining('images.example does not lead to a public address'),
        metadata: { host: 'images.example' },
      });
    });

    it('is ORIGIN_UNRESOLVED when the name servers do not respond, or if the operator has allowed it', async () => {
      const failing =
        (code: string): DownloaderOptions['lookup'] =>
        (_hostname, _options, callback) =>
          callback(Object.assign(new Error(`getaddrinfo ${code}`), { code }), []);
      const unresolved = {
        reason: 'ORIGIN_UNRESOLVED',
        message: 'The address of images.example could not be looked up. Try again later.',
        isRetryable: true,
      };
      expect(await failure('http://images.example/', { lookup: failing('EAI_AGAIN') })).toMatchObject(
        unresolved,
      );
      const allowedHosts = new Set(['images.example']);
      const options = { lookup: failing('ENOTFOUND'), allowedHosts };
      expect(await failure('http://images.example/', options)).toMatchObject(unresolved);
    });
  });

  describe.skipIf(openssl === '')('TLS (openssl makes its certificates)', () => {
    const folder = mkdtempSync(join(tmpdir(), 'origin-tls-'));
    afterAll(() => rmSync(folder, { recursive: true }));

    /** A self-signed certificate for images.example. */
    function certificate() {
      const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
      const request = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2'.split(' ');
      const name = ['-subj', '/CN=images.example', '-addext', 'subjectAltName=DNS:images.example'];
      execFileSync(openssl, [...request, ...name, '-keyout', key, '-out', cert], { stdio: 'ignore' });
      return { host: 'images.example', key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
    }

    const toLoopback: DownloaderOptions['lookup'] = (_hostname, _options, callback) => {
      callback(null, [{ address: '127.0.0.1', family: 4 }]);
    };
    const allowed = { lookup: toLoopback, allowedHosts: new Set(['images.example', 'other.example']) };

    it('is verified: an untrusted certificate ends it before a request is sent', async () => {
      await using origin = await startTlsOrigin(certificate(), sends('image'));
      expect(await failure(origin.url(), allowed)).toMatchObject({
        reason: 'ORIGIN_UNREACHABLE',
        message: expect.stringContaining('has no TLS certificate that can be verified'),
      });
      expect(origin.requests).toEqual([]);
    });

    it('is verified even if the environment turns that off', async () => {
      process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
      onTestFinished(() => {
        delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
      });
      await using origin = await startTlsOrigin(certificate(), sends('image'));
      expect(await failure(origin.url(), allowed)).toMatchObject({ reason: 'ORIGIN_UNREACHABLE' });
      expect(origin.requests).toEqual([]);
    });

    it('sends the host name, which the certificate has to match', async () => {
      const identity = certificate();
      const authorities = getCACertificates('default');
      setDefaultCACertificates([...authorities, identity.cert]);
      onTestFinished(() => setDefaultCACertificates(authorities));
      const names: unknown[] = [];
      await using origin = await startTlsOrigin(identity, (request, response) => {
        names.push((request.socket as TLSSocket).servername);
        response.end('image');
      });
      expect(await text(origin.url(), allowed)).toBe('image');
      expect(names).toEqual(['images.example']);
      const other = origin.url().replace('images.example', 'other.example');
      expect(await failure(other, allowed)).toMatchObject({
        reason: 'ORIGIN_UNREACHABLE',
        message: expect.stringContaining('has no TLS certificate that can be verified'),
      });
    });

    it('on a kept connection that the origin closes fails no download either', async () => {
      const identity = certificate();
      const authorities = getCACertificates('default');
      setDefaultCACertificates([...authorities, identity.cert]);
      onTestFinished(() => setDefaultCACertificates(authorities));
      const served = new WeakSet<object>();
      await using origin = await startTlsOrigin(identity, (request, response) => {
        if (served.has(request.socket)) request.socket.end();
        else response.end('image');
        served.add(request.socket);
      });
      const downloader = downloaderOf(allowed);
      for (let i = 0; i < 6; i++) {
        const { content } = await downloader.download(new URL(origin.url()), undefined, nobodyLeaves);
        expect(Buffer.from(content ?? []).toString()).toBe('image');
      }
      expect(origin.requests.length).toBeGreaterThan(6);
    });

    it('to a port without TLS is ORIGIN_UNREACHABLE', async () => {
      await using origin = await startOrigin(sends('image'));
      const url = `https://images.example:${origin.port}/`;
      expect(await failure(url, allowed)).toMatchObject({
        reason: 'ORIGIN_UNREACHABLE',
        message: expect.stringContaining('does not speak TLS as this URL needs it'),
      });
    });
  });

  it('closes its connections and fails running downloads when it is closed', async () => {
    await using origin = await startOrigin(() => {});
    const downloader = downloaderOf();
    const pending = downloader.download(new URL(origin.url()), undefined, nobodyLeaves);
    const outcome = expect(pending).rejects.toMatchObject({ reason: 'ORIGIN_UNREACHABLE' });
    await expect.poll(() => origin.requests.length).toBe(1);
    await downloader.close();
    await outcome;
    await origin.idle();
  });
});
