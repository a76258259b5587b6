import type { ServerResponse } from 'node:http';
import { Failure } from '../failures.ts';
import { messageMemory } from '../memory-pool.ts';

/** What image-api holds beside bodies and answers, garbage that waits for its collection included, in bytes; measured. */
export const apiBytes = 250_000_000;

/** Nobody is slow before: connections begin slowly, and a client may wait to be asked. In milliseconds. */
const graceMs = 1000;

/** The part of one request in what is held. It ends with its answer's last byte or with its connection. */
export interface Share {
  /**
   * Takes memory for a body that is about to be read.
   *
   * @param declaredBytes - 0 where nothing is declared
   * @param giveUp - is called when the body comes too slowly and others need its memory
   * @throws Failure OVERLOADED
   */
  reserve(declaredBytes: number, giveUp: (failure: Failure) => void): void;
  /**
   * Says how much of the body is held now, and takes what goes beyond the declared.
   *
   * @throws Failure OVERLOADED
   */
  holds(bytes: number): void;
  /** Memory for the body, at least so many bytes; when the answer is there it is gone. */
  place(bytes: number): Buffer;
  /** The body is read: from here on it doesn't matter how fast it came. */
  isWhole(): void;
  /**
   * An answer has taken the body's place. It is not refused, being there already, but others are for its sake. When its
   * last byte is out its memory is gone, too.
   */
  answers(images: readonly Answered[]): void;
}

/** Memory that the bodies of all requests and their answers take together. */
export interface HeldBytes {
  /** Bytes that are taken now. */
  bytes(): number;
  /** Refuses a request before anything is read or made for it. @throws Failure OVERLOADED */
  checkRoom(): void;
  /** @param outgoing - the request's response */
  shareOf(outgoing: ServerResponse): Share;
}

/** An image or tensor, in memory that the message with it came in. */
interface Answered {
  readonly content: Uint8Array;
}

interface Part {
  stage: 'body' | 'call' | 'answer';
  bytes: number;
  declaredBytes: number;
  receivedBytes: number;
  /** When the stage began. */
  sinceMs: number;
  /** Where the body is. */
  place: Buffer | undefined;
  /** Where the answers are: several may be in one message. */
  answers: ReadonlySet<ArrayBufferLike>;
  end(): void;
}

/**
 * Bodies are taken as long as they have room together; beyond that they are refused at once. Who is slow is let
 * be while nobody needs the memory. Then those have to go who hold it for nothing: uploads that at their pace
 * would not be whole by the deadline, and answers that nobody has fetched for as long as a request may take.
 *
 * @param maxBytes - of all together
 * @param timeoutMs - longest time for a request
 * @param now - milliseconds
 */
export function createHeldBytes(
  maxBytes: number,
  timeoutMs: number,
  now: () => number = () => performance.now(),
): HeldBytes {
  const parts = new Map<ServerResponse, Part>();
  let total = 0;

  function resize(part: Part, bytes: number): void {
    total += bytes - part.bytes;
    part.bytes = bytes;
  }

  function isLate({ stage, bytes, receivedBytes, sinceMs }: Part): boolean {
    const ms = now() - sinceMs;
    if (stage === 'body') return ms > graceMs && receivedBytes / ms < bytes / timeoutMs;
    return stage === 'answer' && ms > timeoutMs;
  }

  function makeRoom(bytes: number, own?: Part): void {
    if (total + bytes <= maxBytes) return;
    for (const part of parts.values()) {
      if (part === own || part.bytes === 0 || !isLate(part)) continue;
      resize(part, 0);
      part.end();
      if (total + bytes <= maxBytes) return;
    }
    throw new Failure(
      'OVERLOADED',
      `Requests under way hold ${total} of ${maxBytes} bytes, which leaves no room for this one. Try again in a moment.`,
      { limit: maxBytes, actual: total + bytes },
    );
  }

  function partOf(outgoing: ServerResponse): Part {
    const known = parts.get(outgoing);
    if (known !== undefined) return known;
    const part: Part = {
      stage: 'body',
      bytes: 0,
      declaredBytes: 0,
      receivedBytes: 0,
      sinceMs: now(),
      place: undefined,
      answers: new Set(),
      end() {},
    };
    parts.set(outgoing, part);
    outgoing.once('close', () => {
      // What is cut off may still be on its way out.
      if (outgoing.writableFinished)
        for (const memory of part.answers) messageMemory.give(Buffer.from(memory));
      resize(part, 0);
      parts.delete(outgoing);
    });
    return part;
  }

  return {
    bytes: () => total,
    checkRoom: () => makeRoom(0),
    shareOf: (outgoing) => ({
      reserve(declaredBytes, giveUp) {
        makeRoom(declaredBytes);
        const part = partOf(outgoing);
        part.end = () =>
          giveUp(
            new Failure(
              'OVERLOADED',
              `${part.receivedBytes} of ${declaredBytes} bytes came in ${Math.round(now() - part.sinceMs)} ms, too slowly to be whole by the deadline, and others need the memory. Try again in a moment.`,
              { limit: declaredBytes, actual: part.receivedBytes },
            ),
          );
        Object.assign(part, { stage: 'body', declaredBytes, receivedBytes: 0, sinceMs: now() });
        resize(part, declaredBytes);
      },
      holds(bytes) {
        const part = parts.get(outgoing);
        if (part === undefined) return;
        part.receivedBytes = bytes;
        const needed = Math.max(part.declaredBytes, bytes);
        if (needed > part.bytes) makeRoom(needed - part.bytes, part);
        resize(part, needed);
      },
      place(bytes) {
        const place = messageMemory.take(bytes);
        partOf(outgoing).place = place;
        return place;
      },
      isWhole() {
        const part = parts.get(outgoing);
        if (part !== undefined) part.stage = 'call';
      },
      answers(images) {
        // A caller that has left takes none.
        if (outgoing.closed) return;
        const part = partOf(outgoing);
        if (part.place !== undefined) messageMemory.give(part.place);
        part.place = undefined;
        part.answers = new Set(images.map(({ content }) => content.buffer));
        part.end = () => void outgoing.destroy();
        Object.assign(part, { stage: 'answer', sinceMs: now() });
        resize(
          part,
          images.reduce((sum, { content }) => sum + content.length, 0),
        );
      },
    }),
  };
}
