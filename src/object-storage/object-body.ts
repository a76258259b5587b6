import { addAbortListener } from 'node:events';
import type { Readable } from 'node:stream';
import { StorageFailure, storageFailureFrom } from './storage-failure.ts';

/**
 * The bytes of an object as they arrive. Leaving the loop closes the connection.
 *
 * @param bytes - the announced length
 * @throws StorageFailure BYTES_OVER_LIMIT, DROPPED, TIMEOUT
 */
export async function* limitedBody(
  body: Readable,
  bytes: number,
  maxBytes: number,
  bucket: string,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void> {
  // Also where nobody reads the body, an error must not end the process.
  body.on('error', () => {});
  // The SDK heeds the signal until the response's head has arrived.
  using _listening = addAbortListener(signal, () => body.destroy(new Error('aborted')));
  try {
    if (bytes > maxBytes) throw new StorageFailure('BYTES_OVER_LIMIT', bucket, { actual: bytes });
    let received = 0;
    for await (const chunk of body as AsyncIterable<Uint8Array>) {
      received += chunk.byteLength;
      if (received > maxBytes) throw new StorageFailure('BYTES_OVER_LIMIT', bucket, { actual: received });
      yield chunk;
    }
    if (received < bytes) throw new StorageFailure('DROPPED', bucket);
  } catch (error) {
    throw signal.aborted ? signal.reason : storageFailureFrom(error, bucket);
  } finally {
    body.destroy();
  }
}

/** Reads a body into one buffer of its announced length. */
export async function readWhole(body: AsyncIterable<Uint8Array>, bytes: number): Promise<Uint8Array> {
  const whole = new Uint8Array(bytes);
  let length = 0;
  for await (const chunk of body) {
    whole.set(chunk, length);
    length += chunk.byteLength;
  }
  return whole;
}
