import { addAbortListener } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { HttpBindings } from '@hono/node-server';
import { Failure, failureFromAbort } from '../failures.ts';
import { type OwnBytes, release } from '../own-bytes.ts';
import type { Share } from './memory/held-bytes.ts';

/** Bytes by request. */
const heldBytes = new WeakMap<IncomingMessage, number>();

const bodies = new WeakMap<IncomingMessage, OwnBytes>();

/** Frees the memory of a request's body, which is empty afterwards. No write may still read it. */
export function releaseBody(incoming: IncomingMessage): void {
  const body = bodies.get(incoming);
  if (body !== undefined) release(body);
}

/** Bytes of the body of a request that have arrived and are held. */
export function heldBytesOf(incoming: IncomingMessage): number {
  return heldBytes.get(incoming) ?? 0;
}

/**
 * Reads a request's body from Node's own stream into one buffer.
 *
 * The length is capped twice: by the declared length, before a byte is read and before the response to
 * `Expect: 100-continue`, so that a client that waits for it sends nothing; and while reading, because a
 * chunked body declares no length.
 *
 * @param tooLong - creates the failure for a body over `maxBytes`
 * @param share - must have room for the declared length before anything is read, and takes memory for the bytes that arrive
 * @throws Failure what `tooLong` makes; OVERLOADED, CANCELLED, DEADLINE_EXCEEDED
 */
export async function readBody(
  { incoming, outgoing }: HttpBindings,
  maxBytes: number,
  tooLong: (bytes: number) => Failure,
  signal: AbortSignal,
  share?: Share,
): Promise<Buffer> {
  const header = incoming.headers['content-length'];
  const declaredBytes = header === undefined ? undefined : Number(header);
  if (declaredBytes !== undefined && declaredBytes > maxBytes) throw tooLong(declaredBytes);
  if (signal.aborted) throw failureFromAbort(signal);

  return new Promise<Buffer>((resolve, reject) => {
    const fail = (failure: Failure) => {
      stop();
      incoming.pause();
      reject(failure);
    };
    share?.reserve(declaredBytes ?? 0, fail);
    if (incoming.headers.expect !== undefined) outgoing.writeContinue();
    const body = collect(declaredBytes, maxBytes);
    const onData = (chunk: Buffer) => {
      try {
        if (body.bytes() + chunk.length > maxBytes) throw tooLong(body.bytes() + chunk.length);
        share?.holds(body.bytes() + chunk.length);
      } catch (error) {
        fail(error as Failure);
        return;
      }
      body.add(chunk);
      heldBytes.set(incoming, body.bytes());
    };
    const onEnd = () => {
      stop();
      share?.isWhole();
      const whole = body.whole();
      bodies.set(incoming, whole as Uint8Array as OwnBytes);
      resolve(whole);
    };
    const onBroken = (cause: Error) =>
      fail(new Failure('CANCELLED', 'The caller left before the body was complete.', {}, { cause }));
    const listening = addAbortListener(signal, () => fail(failureFromAbort(signal)));
    const stop = () => {
      incoming.off('data', onData).off('end', onEnd).off('error', onBroken);
      // A later error means that the caller has left; the response is decided already.
      incoming.on('error', () => {});
      listening[Symbol.dispose]();
    };
    incoming.on('data', onData).on('end', onEnd).on('error', onBroken);
  });
}

/** The failure of an image that is longer than what is taken. */
export function imageTooLong(bytes: number, maxBytes: number): Failure {
  return new Failure(
    'SOURCE_BYTES_OVER_LIMIT',
    `The image has at least ${bytes} bytes; at most ${maxBytes} are taken.`,
    { limit: maxBytes, actual: bytes },
  );
}

/** Up to this length, a body without a declared length is collected in chunks; most are short. */
const shortBytes = 1024 * 1024;

/**
 * Joins chunks in one buffer, which is allocated when the first byte arrives. The system allocates no memory for pages
 * that are never written, so a connection that only declares megabytes holds none. Node's parser ensures that no more
 * bytes arrive than declared. Without a declared length, the buffer is as long as the longest allowed body: growing it
 * would hold the body twice.
 */
function collect(declaredBytes: number | undefined, maxBytes: number) {
  const chunks: Buffer[] = [];
  let place: Buffer | undefined;
  let bytes = 0;
  return {
    bytes: () => bytes,
    add(chunk: Buffer) {
      const isShort = declaredBytes === undefined && bytes + chunk.length <= shortBytes;
      if (isShort || chunk.length === declaredBytes) {
        chunks.push(chunk);
      } else {
        place ??=
          declaredBytes === undefined
            ? joined(maxBytes, chunks.splice(0))
            : Buffer.allocUnsafeSlow(declaredBytes);
        chunk.copy(place, bytes);
      }
      bytes += chunk.length;
    },
    whole(): Buffer {
      if (place !== undefined) return place.subarray(0, bytes);
      return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks, bytes);
    },
  };
}

function joined(bytes: number, first: readonly Buffer[]): Buffer {
  const place = Buffer.allocUnsafeSlow(bytes);
  let filled = 0;
  for (const chunk of first) filled += chunk.copy(place, filled);
  return place;
}
