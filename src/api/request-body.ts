import type { IncomingMessage } from 'node:http';
import type { HttpBindings } from '@hono/node-server';
import { Failure, failureFromAbort } from '../failures.ts';

/** Bytes by request; the bodies themselves must not live as long as their requests. */
const heldBytes = new WeakMap<IncomingMessage, number>();

/** Bytes of memory that were taken for the body of a request, read or half read. */
export function heldBytesOf(incoming: IncomingMessage): number {
  return heldBytes.get(incoming) ?? 0;
}

/**
 * Reads a request's body from Node's own stream into one buffer.
 *
 * The length is capped twice: as declared, before a byte is read and before `Expect: 100-continue` is
 * answered, so that a client that asks first sends nothing; and while reading, because a chunked body
 * declares nothing.
 *
 * @param tooLong - makes the failure for a body over `maxBytes`
 * @throws Failure what `tooLong` makes; CANCELLED, DEADLINE_EXCEEDED
 */
export async function readBody(
  { incoming, outgoing }: HttpBindings,
  maxBytes: number,
  tooLong: (bytes: number) => Failure,
  signal: AbortSignal,
): Promise<Buffer> {
  const header = incoming.headers['content-length'];
  const declaredBytes = header === undefined ? undefined : Number(header);
  if (declaredBytes !== undefined && declaredBytes > maxBytes) throw tooLong(declaredBytes);
  if (signal.aborted) throw failureFromAbort(signal);
  if (incoming.headers.expect !== undefined) outgoing.writeContinue();

  return new Promise<Buffer>((resolve, reject) => {
    const body = collect(declaredBytes);
    const onData = (chunk: Buffer) => {
      body.add(chunk);
      heldBytes.set(incoming, body.heldBytes());
      if (body.bytes() > maxBytes) fail(tooLong(body.bytes()));
    };
    const onEnd = () => {
      stop();
      resolve(body.whole());
    };
    const onBroken = (cause: Error) =>
      fail(new Failure('CANCELLED', 'The caller left before the body was complete.', {}, { cause }));
    const onAbort = () => fail(failureFromAbort(signal));
    const fail = (failure: Failure) => {
      stop();
      incoming.pause();
      reject(failure);
    };
    const stop = () => {
      incoming.off('data', onData).off('end', onEnd).off('error', onBroken);
      // An error after this is the caller's leaving, and the answer is already decided.
      incoming.on('error', () => {});
      signal.removeEventListener('abort', onAbort);
    };
    signal.addEventListener('abort', onAbort, { once: true });
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

/**
 * Puts chunks together: straight into their place where the length is declared (Node's parser sees to it
 * that no more comes), else at the end. The buffer is made when the first byte is here, so that a
 * connection that only promises megabytes holds none.
 */
function collect(declaredBytes: number | undefined) {
  const chunks: Buffer[] = [];
  let place: Buffer | undefined;
  let bytes = 0;
  return {
    bytes: () => bytes,
    heldBytes: () => place?.length ?? bytes,
    add(chunk: Buffer) {
      if (declaredBytes === undefined || chunk.length === declaredBytes) {
        chunks.push(chunk);
      } else {
        place ??= Buffer.allocUnsafeSlow(declaredBytes);
        chunk.copy(place, bytes);
      }
      bytes += chunk.length;
    },
    whole(): Buffer {
      if (place !== undefined) return place;
      return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks, bytes);
    },
  };
}
