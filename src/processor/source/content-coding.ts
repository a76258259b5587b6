import { pipeline, Readable, type Transform } from 'node:stream';
import {
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createInflateRaw,
  createZstdDecompress,
} from 'node:zlib';

/** A body that cannot be decoded by its Content-Encoding. */
export class ContentCodingError extends Error {
  override readonly name = 'ContentCodingError';
}

/** Size of decoded pieces; each takes one turn of the event loop. */
const chunkSize = 128 * 1024;

/** Servers apply no more, and each coding lets a few bytes expand into many. */
const maxCodings = 3;

type Decoder = (head: Uint8Array) => Transform | undefined;

/** Decoders by the names of HTTP's content codings (RFC 9110, 8.4.1), chosen by a body's first two bytes. */
const decoders: Readonly<Record<string, Decoder>> = {
  gzip: decodeGzip,
  'x-gzip': decodeGzip,
  // Most servers send the zlib format, as the RFC says, and some the bare deflate format.
  deflate: ([first = 0, second = 0]) =>
    (first & 15) === 8 && ((first << 8) | second) % 31 === 0
      ? createInflate({ chunkSize })
      : createInflateRaw({ chunkSize }),
  br: () => createBrotliDecompress({ chunkSize }),
  zstd: () => createZstdDecompress({ chunkSize }),
};

/** Storage often carries "gzip" as the metadata of a file that is not compressed; such a body stays as it is. */
function decodeGzip([first, second]: Uint8Array): Transform | undefined {
  return first === 0x1f && second === 0x8b ? createGunzip({ chunkSize }) : undefined;
}

/**
 * The codings of a Content-Encoding that change bytes, in the order in which they were applied. Names that are not
 * content codings (`none`, `utf-8`, `binary`, `base64`, `aws-chunked`) describe no change and are ignored, as other
 * clients do.
 */
function codingsOf(contentEncoding: string | undefined): readonly string[] {
  const names = (contentEncoding ?? '').split(',').map((name) => name.trim().toLowerCase());
  return names.filter((name) => Object.hasOwn(decoders, name));
}

/** Whether a response's body has to be decoded. */
export function isEncoded(contentEncoding: string | undefined): boolean {
  return codingsOf(contentEncoding).length > 0;
}

/**
 * A response's body without its content codings. It is decoded piece by piece as it is read, so that a reader that
 * stops at its limit bounds the last step; `maxStageBytes` bounds the steps before it.
 *
 * @throws ContentCodingError for a body that does not decode, is cut off, or is over `maxStageBytes` between two steps
 */
export function withoutContentCodings(
  body: AsyncIterable<Uint8Array>,
  contentEncoding: string | undefined,
  maxStageBytes: number,
): AsyncIterable<Uint8Array> {
  const codings = codingsOf(contentEncoding);
  if (codings.length > maxCodings) {
    throw new ContentCodingError(`${codings.length} content codings; the limit is ${maxCodings}`);
  }
  return codings.reduceRight(
    (encoded, coding) => decode(limited(encoded, maxStageBytes), decoders[coding] as Decoder),
    body,
  );
}

async function* limited(body: AsyncIterable<Uint8Array>, maxBytes: number): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) throw new ContentCodingError(`more than ${maxBytes} bytes between two codings`);
    yield chunk;
  }
}

async function* decode(body: AsyncIterable<Uint8Array>, decoder: Decoder): AsyncGenerator<Uint8Array> {
  const chunks = body[Symbol.asyncIterator]();
  try {
    let head: Uint8Array = new Uint8Array();
    while (head.byteLength < 2) {
      const next = await chunks.next();
      if (next.done === true) break;
      head = Buffer.concat([head, next.value]);
    }
    // An empty body has nothing to decode, whatever its Content-Encoding says.
    if (head.byteLength === 0) return;
    yield* decodeWith(decoder(head), withHead(head, chunks));
  } finally {
    await chunks.return?.();
  }
}

async function* withHead(
  head: Uint8Array,
  rest: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array, void> {
  yield head;
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
}

async function* decodeWith(
  decoder: Transform | undefined,
  encoded: AsyncGenerator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  if (decoder === undefined) {
    yield* encoded;
    return;
  }
  // The decoder also emits errors of the stages below it; only errors caused by its own bytes are coding errors.
  let bodyError: unknown;
  async function* noted(): AsyncGenerator<Uint8Array> {
    try {
      yield* encoded;
    } catch (error) {
      bodyError = error;
      throw error;
    }
  }
  const decoded = pipeline(Readable.from(noted(), { objectMode: false }), decoder, () => {});
  try {
    yield* decoded as AsyncIterable<Uint8Array>;
  } catch (error) {
    throw bodyError ?? new ContentCodingError('the body does not decode', { cause: error });
  }
}
