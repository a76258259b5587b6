import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CompletedPart } from '@aws-sdk/client-s3';
import { attempt } from './attempts.ts';
import { type FileBody, signHash } from './put-body.ts';
import type { loadSdk } from './sdk.ts';
import { StorageFailure } from './storage-failure.ts';

/** Length of a part in bytes, and the length above which a file is sent in parts. */
export const defaultPartBytes = 64 * 2 ** 20;
/** S3's limit for one object. */
const maxParts = 10_000;
/** Parts that are sent at the same time. */
const partsAtOnce = 4;
/** Longest wait for the removal of an upload that failed, in ms. */
const removalPatienceMs = 5000;

interface Calls {
  readonly sdk: ReturnType<typeof loadSdk>;
  readonly attempts: number;
  readonly partBytes: number;
}

/** An upload, as the SDK names it. */
interface Upload {
  readonly Bucket: string;
  readonly Key: string;
  readonly UploadId: string | undefined;
}

interface Part {
  /** From 1. */
  readonly number: number;
  readonly start: number;
  /** Not included. */
  readonly end: number;
  readonly sha256: Uint8Array;
}

/** The object, as the SDK names it. */
interface Target {
  readonly Bucket: string;
  readonly Key: string;
  readonly ContentType: string;
  readonly Metadata?: Record<string, string>;
}

/**
 * Writes a file in parts, each with a SHA-256 that the server verifies, and each with attempts of its own. The object appears
 * with the last request, to which the condition applies. An upload that fails is removed; one whose process is killed stays
 * in the bucket as an incomplete upload and never becomes an object.
 *
 * @param condition - `{ IfNoneMatch: '*' }` for an object that must not exist
 * @throws StorageFailure; of status 412 if the condition does not hold
 */
export async function uploadParts(
  calls: Calls,
  target: Target,
  file: FileBody,
  condition: { readonly IfNoneMatch?: string },
  signal: AbortSignal,
): Promise<void> {
  const { Bucket, Key } = target;
  const { CreateMultipartUploadCommand, CompleteMultipartUploadCommand } = await calls.sdk.commands();
  const parts = await hashedParts(file, Bucket, calls.partBytes, signal);
  const { UploadId } = await attempt(calls, Bucket, signal, (client) =>
    client.send(new CreateMultipartUploadCommand({ ...target, ChecksumAlgorithm: 'SHA256' }), {
      abortSignal: signal,
    }),
  );
  const upload = { Bucket, Key, UploadId };
  try {
    const completed = await sendParts(calls, upload, file, parts, signal);
    await attempt(calls, Bucket, signal, (client) =>
      client.send(
        new CompleteMultipartUploadCommand({
          ...upload,
          ...condition,
          MultipartUpload: { Parts: completed },
        }),
        { abortSignal: signal },
      ),
    );
  } catch (error) {
    await remove(calls, upload);
    throw error;
  }
}

/**
 * Removes an upload. A part that was under way may arrive after the first request and stay, so it is repeated until there is no
 * upload any more: https://docs.aws.amazon.com/AmazonS3/latest/API/API_AbortMultipartUpload.html
 */
async function remove(calls: Calls, upload: Upload): Promise<void> {
  const { AbortMultipartUploadCommand } = await calls.sdk.commands();
  const signal = AbortSignal.timeout(removalPatienceMs);
  try {
    for (let waitMs = 100; ; waitMs *= 2) {
      await attempt({ ...calls, attempts: 1 }, upload.Bucket, signal, (client) =>
        client.send(new AbortMultipartUploadCommand(upload), { abortSignal: signal }),
      ).catch((error: unknown) => {
        const isPassing = error instanceof StorageFailure && error.isRetryable;
        if (!isPassing || error.problem === 'UPLOAD_MISSING') throw error;
      });
      await sleep(waitMs, undefined, { signal });
    }
  } catch {
    // There is nothing left to remove, or no time.
  }
}

/** Reads a file once for the hashes of its parts. @throws StorageFailure CORRUPT if it does not have its own hash */
async function hashedParts(
  file: FileBody,
  bucket: string,
  partBytes: number,
  signal: AbortSignal,
): Promise<Part[]> {
  const length = Math.max(partBytes, 2 ** 20 * Math.ceil(file.bytes / maxParts / 2 ** 20));
  const whole = createHash('sha256');
  const parts: Part[] = [];
  for (let start = 0; start < file.bytes; start += length) {
    const end = Math.min(start + length, file.bytes);
    const digest = createHash('sha256');
    for await (const chunk of file.open(start, end)) {
      signal.throwIfAborted();
      digest.update(chunk);
      whole.update(chunk);
    }
    parts.push({ number: parts.length + 1, start, end, sha256: digest.digest() });
  }
  if (!whole.digest().equals(file.sha256)) throw new StorageFailure('CORRUPT', bucket);
  return parts;
}

/** Sends all parts. After one that fails for good, the others are ended. */
async function sendParts(
  calls: Calls,
  upload: Upload,
  file: FileBody,
  parts: readonly Part[],
  signal: AbortSignal,
): Promise<CompletedPart[]> {
  const { UploadPartCommand } = await calls.sdk.commands();
  const failed = new AbortController();
  const stop = AbortSignal.any([signal, failed.signal]);
  const waiting = parts.values();
  const completed: CompletedPart[] = [];

  async function send({ number, start, end, sha256 }: Part): Promise<void> {
    const ChecksumSHA256 = Buffer.from(sha256).toString('base64');
    const named = { PartNumber: number, ChecksumSHA256 };
    const { ETag } = await attempt(calls, upload.Bucket, stop, async (client) => {
      const stream = file.open(start, end);
      const command = new UploadPartCommand({
        ...upload,
        ...named,
        Body: stream,
        ContentLength: end - start,
      });
      signHash(command, sha256);
      try {
        return await client.send(command, { abortSignal: stop });
      } finally {
        stream.destroy();
      }
    });
    completed[number - 1] = { ...named, ETag };
  }

  async function work(): Promise<void> {
    try {
      for (const part of waiting) await send(part);
    } catch (error) {
      failed.abort(error);
    }
  }

  await Promise.all(Array.from({ length: partsAtOnce }, work));
  stop.throwIfAborted();
  return completed;
}
