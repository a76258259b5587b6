import { hash } from 'node:crypto';
import type { Readable } from 'node:stream';

/**
 * The bytes to write: in memory, without their SHA-256 or with it, or from a place that can be read several times, such as
 * a file.
 */
export type PutBody =
  | Uint8Array
  | { readonly content: Uint8Array; readonly sha256: Uint8Array }
  | {
      readonly bytes: number;
      /** 32 bytes. */
      readonly sha256: Uint8Array;
      /** A new stream of the bytes for each attempt. */
      open(): Readable;
    };

/** The length of a body. */
export function bytesOf(body: PutBody): number {
  if (body instanceof Uint8Array) return body.byteLength;
  return 'content' in body ? body.content.byteLength : body.bytes;
}

/** A body's bytes, or its stream, with length and hash. */
export function partsOf(body: PutBody): {
  readonly content?: Uint8Array;
  readonly bytes: number;
  readonly sha256: Uint8Array;
  readonly open?: () => Readable;
} {
  if (body instanceof Uint8Array) {
    return { content: body, bytes: body.byteLength, sha256: hash('sha256', body, 'buffer') };
  }
  if ('content' in body) return { ...body, bytes: body.content.byteLength };
  return { bytes: body.bytes, sha256: body.sha256, open: () => body.open() };
}
