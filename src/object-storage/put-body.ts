import { hash } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { PutObjectCommand, UploadPartCommand } from '@aws-sdk/client-s3';

/** Bytes in a place that can be read several times, such as a file. */
export interface FileBody {
  readonly bytes: number;
  /** 32 bytes. */
  readonly sha256: Uint8Array;
  /** A new stream of the bytes from `start` up to `end`, which is not included. */
  open(start: number, end: number): Readable;
}

/** The bytes to write: in memory, without their SHA-256 or with it, or in a file. */
export type PutBody = Uint8Array | { readonly content: Uint8Array; readonly sha256: Uint8Array } | FileBody;

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
  return { bytes: body.bytes, sha256: body.sha256, open: () => body.open(0, body.bytes) };
}

/** Makes the signature of a command cover the SHA-256 of its body. The SDK would hash the bytes once more. */
export function signHash(
  { middlewareStack }: PutObjectCommand | UploadPartCommand,
  sha256: Uint8Array,
): void {
  const hex = Buffer.from(sha256).toString('hex');
  (middlewareStack as PutObjectCommand['middlewareStack']).add(
    (next) => (args) => {
      (args.request as { headers: Record<string, string> }).headers['x-amz-content-sha256'] = hex;
      return next(args);
    },
    { step: 'build', name: 'contentSha256' },
  );
}
