import { Failure } from '../../failures.ts';

/** A message's envelope, which precedes it: a byte of flags and the message's length in four bytes, big-endian. */
export const envelopeBytes = 5;

const compressedFlag = 0b1;

/** The envelope of a message that is not compressed. */
export function envelopeStart(messageBytes: number): Buffer {
  const envelope = Buffer.alloc(envelopeBytes);
  envelope.writeUInt32BE(messageBytes, 1);
  return envelope;
}

/**
 * Takes enveloped messages apart. A message that arrives in one chunk is a view of the chunk. For any other, an array
 * is allocated once its length is known.
 *
 * @param options.endFlag - flags of an envelope that ends the stream and contains no message; 0 where there is none
 * @param options.isSingle - whether there must be exactly one message
 * @param options.checkLength - is called with the length of each message before it is read, and may throw
 */
export function createEnvelopeReader({
  endFlag = 0,
  isSingle,
  checkLength,
}: {
  readonly endFlag?: number;
  readonly isSingle: boolean;
  readonly checkLength: (bytes: number) => void;
}) {
  const head = Buffer.alloc(envelopeBytes);
  let headFilled = 0;
  let length = 0;
  let place: Uint8Array | undefined;
  let filled = 0;
  let messages = 0;
  let isEnd = false;

  function readHead(): void {
    const flags = head[0] as number;
    length = head.readUInt32BE(1);
    if (isEnd) throw brokenEnvelope('bytes follow the end of the stream');
    if (flags !== endFlag) checkFlags(flags);
    isEnd = flags === endFlag && endFlag !== 0;
    if (!isEnd && ++messages > 1 && isSingle) throw wrongNumber('more than one message');
    checkLength(length);
  }

  return {
    /** The messages that end in this chunk. @throws Failure MESSAGE_INVALID, COMPRESSION_UNSUPPORTED */
    *read(chunk: Uint8Array): Generator<Uint8Array> {
      let at = 0;
      for (;;) {
        if (headFilled < envelopeBytes) {
          const part = chunk.subarray(at, at + envelopeBytes - headFilled);
          head.set(part, headFilled);
          headFilled += part.length;
          at += part.length;
          if (headFilled < envelopeBytes) return;
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
    /** @throws Failure MESSAGE_INVALID within a message, and without one where there must be one */
    end(): void {
      if (headFilled > 0) throw brokenEnvelope('it ends within a message');
      if (isSingle && messages === 0) throw wrongNumber('no message');
    },
  };
}

/** @throws Failure MESSAGE_INVALID, COMPRESSION_UNSUPPORTED for flags that no message may have here */
function checkFlags(flags: number): void {
  if (flags === compressedFlag) throw compressed();
  if (flags !== 0) throw brokenEnvelope(`an envelope has the flags ${flags}`);
}

/** The failure of a call with another number of messages than its method takes. */
function wrongNumber(what: string): Failure {
  return new Failure('MESSAGE_INVALID', `The call has ${what}; it takes one.`);
}

/** The failure of a body that is not made of envelopes. */
function brokenEnvelope(what: string): Failure {
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
