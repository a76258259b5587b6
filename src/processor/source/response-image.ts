import { Failure } from '../../failures.ts';
import { ContentCodingError, isEncoded, withoutContentCodings } from './content-coding.ts';
import { failureFromStatus, statusFailure } from './origin-failures.ts';

/** One response of an origin: a redirect or the last one. */
export interface OriginResponse {
  /** The requested URL, without fragment. */
  readonly url: string;
  readonly status: number;
  /** By lower-case name; the values of a repeated header are joined by commas. */
  readonly headers: Readonly<Record<string, string>>;
  /** The header line by which the origin opts out of machine learning, if there is one. */
  readonly optOut?: string | undefined;
}

/** Limits of one image. */
export interface ImageLimits {
  /** Most bytes of the image. */
  readonly maxBytes: number;
  /** Most bytes between two steps of decoding its Content-Encoding. */
  readonly maxWireBytes: number;
}

/** Bytes allowed beyond twice the image's limit (which covers chunk lines): headers, early hints, bodies of redirects. */
const wireSlackBytes = 1024 * 1024;

/** Most bytes that are received for an image of at most `maxBytes`. */
export function wireBytesOf(maxBytes: number): number {
  return 2 * maxBytes + wireSlackBytes;
}

/**
 * Whether a response contains a whole image. 203 is a 200 that a proxy has changed; an unrequested 206 may contain all
 * bytes (RFC 9110, 14.4). 202, 204 and the others do not.
 */
function isWholeImage({ status, headers }: OriginResponse): boolean {
  if (status !== 206) return status === 200 || status === 203;
  const [, last, length] = /^bytes 0-(\d+)\/(\d+)$/.exec(headers['content-range'] ?? '') ?? [];
  return length !== undefined && Number(last) + 1 === Number(length);
}

/** The failure of an image over the byte limit. */
export function bytesOverLimit(limit: number, actual: number): Failure {
  return new Failure(
    'SOURCE_BYTES_OVER_LIMIT',
    `The image has at least ${actual} bytes; at most ${limit} are allowed. Send a smaller file.`,
    { limit, actual },
  );
}

/** Reads the whole body into one buffer, of the declared length or else growing as bytes arrive. */
async function readBody(
  body: AsyncIterable<Uint8Array>,
  declaredBytes: number | undefined,
  maxBytes: number,
): Promise<Uint8Array> {
  if (declaredBytes !== undefined && declaredBytes > maxBytes) throw bytesOverLimit(maxBytes, declaredBytes);
  let buffer = new ArrayBuffer(declaredBytes ?? Math.min(64 * 1024, maxBytes));
  let length = 0;
  for await (const chunk of body) {
    const needed = length + chunk.byteLength;
    if (needed > maxBytes) throw bytesOverLimit(maxBytes, needed);
    if (needed > buffer.byteLength) {
      buffer = buffer.transfer(Math.min(Math.max(needed, 2 * buffer.byteLength), maxBytes));
    }
    new Uint8Array(buffer).set(chunk, length);
    length = needed;
  }
  return new Uint8Array(length === buffer.byteLength ? buffer : buffer.transfer(length));
}

/** The body of a response with a Content-Encoding. Its declared length, if any, is that of the encoded bytes. */
async function readEncoded(
  body: AsyncIterable<Uint8Array>,
  coding: string | undefined,
  host: string,
  status: number,
  { maxBytes, maxWireBytes }: ImageLimits,
): Promise<Uint8Array> {
  try {
    return await readBody(withoutContentCodings(body, coding, maxWireBytes), undefined, maxBytes);
  } catch (error) {
    if (!(error instanceof ContentCodingError)) throw error;
    const words = 'sent a body that its Content-Encoding does not decode';
    throw statusFailure(host, status, words, error);
  }
}

/**
 * Reads the image from a response that is not a redirect, into a buffer of its own.
 *
 * @throws Failure ORIGIN_STATUS, ORIGIN_BUSY, SOURCE_EMPTY, SOURCE_BYTES_OVER_LIMIT
 */
export async function readImage(
  body: AsyncIterable<Uint8Array>,
  response: OriginResponse,
  host: string,
  limits: ImageLimits,
): Promise<Uint8Array> {
  const { status, headers } = response;
  if (!isWholeImage(response)) throw failureFromStatus(host, status, headers['retry-after']);
  // undici decodes only the chunked coding.
  if (!/^(chunked)?$/i.test(headers['transfer-encoding']?.trim() ?? '')) {
    throw statusFailure(host, status, 'responded with a Transfer-Encoding that was not requested');
  }
  const declared = headers['content-length'];
  const coding = headers['content-encoding'];
  const content = isEncoded(coding)
    ? await readEncoded(body, coding, host, status, limits)
    : await readBody(body, declared === undefined ? undefined : Number(declared), limits.maxBytes);
  if (content.byteLength === 0) {
    throw new Failure('SOURCE_EMPTY', `${host} responded with ${status} and an empty body.`, { host });
  }
  return content;
}
