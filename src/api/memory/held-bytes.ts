import type { ServerResponse } from 'node:http';
import { requestOverMemory } from '../../content-bytes.ts';
import { Failure } from '../../failures.ts';
import type { MessageTransfer } from '../../grpc/messages/rpc-messages.ts';
import { lengthOf, sliceBytes, slicesOf } from '../../grpc/messages/written-message.ts';
import { type Account, createMemoryBudget, type MemoryBudget, mostOfOneCaller } from '../../memory-budget.ts';

/** Memory of image-api beside bodies and responses, uncollected garbage included, in bytes; measured. */
export const apiBytes = 250_000_000;

/** The share of one request in the held memory. It ends with the last byte of its response or with its connection. */
export interface Share {
  /**
   * A body is about to be read. It counts as it arrives; its declared length only has to have room now, so that
   * clients that send `Expect: 100-continue` send nothing that is refused.
   *
   * @param declaredBytes - 0 where nothing is declared
   * @param giveUp - is called when the body comes too slowly and others need its memory
   * @throws Failure OVERLOADED
   */
  reserve(declaredBytes: number, giveUp: (failure: Failure) => void): void;
  /**
   * Takes memory for the part of the body that has arrived.
   *
   * @throws Failure OVERLOADED
   */
  holds(bytes: number): void;
  /** The body is complete: its speed no longer matters. */
  isWhole(): void;
  /**
   * Takes memory for a response, beside that of the body, before the response is made or read.
   *
   * @throws Failure OVERLOADED; OUTPUT_BYTES_OVER_LIMIT where there would never be room for both
   */
  expects(bytes: number): void;
  /** The response has taken the place of the body. Memory that exists is never refused. */
  responds(bytes: number): void;
  /**
   * The body of the response, in slices that report its progress. If a response is read too slowly and others need
   * the memory, its connection is closed.
   */
  sends(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>;
  /** The same for each message of a response that is written elsewhere. */
  readonly transfer: MessageTransfer;
}

/** Memory that the bodies of all requests and their responses take together. */
export interface HeldBytes extends Pick<MemoryBudget, 'bytes' | 'maxBytes' | 'checkRoom'> {
  /** @param outgoing - the request's response */
  shareOf(outgoing: ServerResponse, caller: string): Share;
}

/**
 * @param maxBytes - of all requests together
 * @param timeoutMs - longest time for a request
 * @param now - milliseconds
 */
export function createHeldBytes(
  maxBytes: number,
  timeoutMs: number,
  now: () => number = () => performance.now(),
): HeldBytes {
  const budget = createMemoryBudget('MAX_HELD_BYTES', maxBytes, timeoutMs, now);
  const shares = new WeakMap<ServerResponse, Share>();
  return {
    bytes: budget.bytes,
    maxBytes,
    checkRoom: budget.checkRoom,
    shareOf(outgoing, caller) {
      const known = shares.get(outgoing);
      if (known !== undefined) return known;
      const account = budget.open(caller);
      // A caller that has left takes none.
      if (outgoing.closed) account.close();
      else outgoing.once('close', account.close);
      const share = createShare(outgoing, account, mostOfOneCaller(maxBytes), (bytes) =>
        budget.checkRoom(caller, bytes),
      );
      shares.set(outgoing, share);
      return share;
    },
  };
}

function createShare(
  outgoing: ServerResponse,
  account: Account,
  mostBytes: number,
  checkRoom: (bytes: number) => void,
): Share {
  let bodyBytes = 0;
  function begin(bytes: number): void {
    // The progress of a single write is unknown.
    const totalBytes = bytes <= sliceBytes ? 0 : bytes;
    account.begin({ totalBytes, end: () => void outgoing.destroy() });
  }
  return {
    reserve(declaredBytes, giveUp) {
      checkRoom(declaredBytes);
      account.begin({
        totalBytes: declaredBytes,
        end: (doneBytes, ms) => giveUp(tooSlow(doneBytes, declaredBytes, ms)),
      });
    },
    holds(bytes) {
      account.resize(bytes);
      account.progress(bytes);
      bodyBytes = bytes;
    },
    isWhole: account.finish,
    expects(bytes) {
      if (bodyBytes + bytes > mostBytes) throw requestOverMemory(bodyBytes + bytes, mostBytes);
      account.resize(bodyBytes + bytes);
    },
    responds: account.force,
    sends(pieces) {
      const bytes = lengthOf(pieces);
      begin(bytes);
      if (bytes <= sliceBytes && pieces.length === 1) return pieces[0] as Uint8Array<ArrayBuffer>;
      return streamOf(slicesOf(pieces), account.progress);
    },
    transfer: { begin, progress: account.progress, finish: account.finish },
  };
}

function tooSlow(receivedBytes: number, declaredBytes: number, ms: number): Failure {
  return new Failure(
    'OVERLOADED',
    `${receivedBytes} of ${declaredBytes} bytes came in ${ms} ms, too slowly to be complete by the deadline, and others need the memory. Try again in a moment.`,
    { limit: declaredBytes, actual: receivedBytes },
  );
}

/** @param onSlice - is called with the number of bytes that are sent or queued */
function streamOf(
  slices: Iterator<Uint8Array>,
  onSlice: (bytes: number) => void,
): ReadableStream<Uint8Array> {
  let bytes = 0;
  return new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const { done, value } = slices.next();
        if (done) return controller.close();
        bytes += value.length;
        onSlice(bytes);
        controller.enqueue(value);
      },
    },
    { highWaterMark: 0 },
  );
}
