import { Failure } from '../../failures.ts';

/** A byte of flags, four of length. */
const headBytes = 5;

const compressedFlag = 0b1;

/**
 * Takes a stream of enveloped messages apart. A message that came in one chunk is a view of it; the place of another is
 * made when its length is known.
 *
 * @param endFlag - of an envelope that ends the stream and is no message
 * @param checkLength - throws for a message that is too long
 */
export function createEnvelopeReader(endFlag: number, checkLength: (bytes: number) => void) {
  const head = Buffer.alloc(headBytes);
  let headFilled = 0;
  let length = 0;
  let place: Uint8Array | undefined;
  let filled = 0;
  let isEnd = false;

  function readHead(): void {
    const flags = head[0] as number;
    length = head.readUInt32BE(1);
    if (isEnd) throw brokenEnvelope('bytes follow the end of the stream');
    if (flags !== endFlag) checkFlags(flags);
    checkLength(length);
    isEnd = flags === endFlag && endFlag !== 0;
  }

  return {
    /** The messages that end in this chunk. @throws Failure MESSAGE_INVALID, COMPRESSION_UNSUPPORTED */
    *read(chunk: Uint8Array): Generator<Uint8Array> {
      let at = 0;
      for (;;) {
        if (headFilled < headBytes) {
          const part = chunk.subarray(at, at + headBytes - headFilled);
          head.set(part, headFilled);
          headFilled += part.length;
          at += part.length;
          if (headFilled < headBytes) return;
          readHead();
        }
        const part = chunk.subarray(at, at + length - filled);
        at += part.length;
        let message: Uint8Array | undefined;
        if (part.length === length) {
          message = part;
        } else {
          place ??= Buffer.allocUnsafeSlow(length);
          place.set(part, filled);
          filled += part.length;
          if (filled < length) return;
          message = place;
        }
        headFilled = 0;
        filled = 0;
        place = undefined;
        if (!isEnd) yield message;
      }
    },
    /** @throws Failure MESSAGE_INVALID within a message */
    end(): void {
      if (headFilled > 0) throw brokenEnvelope('it ends within a message');
    },
  };
}

/** @throws Failure MESSAGE_INVALID, COMPRESSION_UNSUPPORTED for flags that no message may have here */
export function checkFlags(flags: number): void {
  if (flags === compressedFlag) throw compressed();
  if (flags !== 0) throw brokenEnvelope(`an envelope has the flags ${flags}`);
}

/** The failure of a call with another number of messages than its method takes. */
export function wrongNumber(what: string): Failure {
  return new Failure('MESSAGE_INVALID', `The call has ${what}; it takes one.`);
}

/** The failure of a body that is not made of envelopes. */
export function brokenEnvelope(what: string): Failure {
  return new Failure('MESSAGE_INVALID', `The body is not a series of enveloped messages: ${what}.`);
}

/** @param encoding - as the header names it */
export function compressed(encoding?: string): Failure {
  const actual = encoding?.slice(0, 100) ?? 'compressed';
  return new Failure(
    'COMPRESSION_UNSUPPORTED',
    `The message is ${actual}; send it uncompressed (identity).`,
    {
      actual,
      allowed: 'identity',
    },
  );
}
