import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { constants, Http2ServerRequest, type ServerHttp2Stream } from 'node:http2';
import { createContextKey } from '@connectrpc/connect';
import { outputBytesOverLimit, requestOverMemory } from '../../content-bytes.ts';
import { batchLimit } from '../../grpc/messages/message-limits.ts';
import type { MessageLimit } from '../../grpc/messages/read-messages.ts';
import type { MessageTransfer } from '../../grpc/messages/rpc-messages.ts';
import { sliceBytes } from '../../grpc/messages/written-message.ts';
import { maxResponseHeader } from '../../grpc/transport.ts';
import { type Account, createMemoryBudget, type MemoryBudget, mostOfOneCaller } from '../../memory-budget.ts';

/** The memory of one call in the process that serves gRPC: its messages, and the responses that are made for it. */
export interface CallMemory {
  /**
   * Judges the contents of the call's response before they are made.
   *
   * @param bytes - that all of them together can get
   * @throws Failure OUTPUT_BYTES_OVER_LIMIT
   */
  checkResponse(bytes: number): void;
  /**
   * Judges a response that needs memory beside the messages of the call.
   *
   * @throws Failure OUTPUT_BYTES_OVER_LIMIT where there would never be room for both
   */
  checkBoth(bytes: number): void;
  /** @throws Failure OVERLOADED where so many bytes have no room now */
  checkRoom(bytes: number): void;
  /**
   * Takes memory for what is about to be made, until it is disposed of.
   *
   * @throws Failure OVERLOADED
   */
  reserve(bytes: number): Disposable;
  /**
   * Takes memory until the end of the call.
   *
   * @throws Failure OVERLOADED
   */
  take(bytes: number): void;
  /** The same for memory that exists already; a negative number gives some back. */
  hold(bytes: number): void;
  /**
   * A body that counts as it arrives.
   *
   * @throws Failure OVERLOADED
   */
  counting(body: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array>;
  /** Ends the stream if a response is read too slowly and others need its memory. */
  transferOver(stream: ServerHttp2Stream): MessageTransfer;
  /** Of the message of a unary call and of its response, which are transferred one after the other. */
  readonly account: Account;
}

/** Limits of a response, and the budget that all calls share. */
export interface ServingMemory {
  readonly budget: MemoryBudget;
  /** The longest message of a batch. */
  readonly batchLimit: MessageLimit;
  /** The memory of a call; it ends with the call's HTTP/2 stream. */
  open(request: IncomingMessage | Http2ServerRequest, caller: string): CallMemory;
  /** The memory of a call without a stream; it ends when its account is closed. */
  openLocal(headers: IncomingHttpHeaders, caller: string): CallMemory;
}

/**
 * @param maxHeldBytes - of all calls together
 * @param maxAnswerBytes - of the contents of one response
 * @param timeoutMs - longest time for a call
 */
export function createServingMemory(
  maxHeldBytes: number,
  maxAnswerBytes: number,
  timeoutMs: number,
): ServingMemory {
  const budget = createMemoryBudget('MAX_HELD_BYTES', maxHeldBytes, timeoutMs);
  const most = mostOfOneCaller(maxHeldBytes);
  const own: Limit =
    maxAnswerBytes <= most
      ? { bytes: maxAnswerBytes, name: 'MAX_ANSWER_BYTES' }
      : { bytes: most, name: 'three quarters of MAX_HELD_BYTES' };
  function openLocal(headers: IncomingHttpHeaders, caller: string): CallMemory {
    return callMemory(budget, caller, budget.open(caller), limitOf(headers, own));
  }
  return {
    budget,
    batchLimit: batchLimit(maxHeldBytes),
    open(request, caller) {
      const memory = openLocal(request.headers, caller);
      const stream = request instanceof Http2ServerRequest ? request.stream : request;
      if (stream.destroyed) memory.account.close();
      else stream.once('close', memory.account.close);
      return memory;
    },
    openLocal,
  };
}

interface Limit {
  readonly bytes: number;
  readonly name: string;
}

/** The caller's own limit where that is the smaller one. */
function limitOf(headers: IncomingHttpHeaders, own: Limit): Limit {
  const text = [headers[maxResponseHeader]].flat()[0] ?? '';
  const bytes = /^\d{1,15}$/.test(text) ? Number(text) : Number.POSITIVE_INFINITY;
  return bytes < own.bytes ? { bytes, name: "the caller's limit" } : own;
}

function callMemory(budget: MemoryBudget, caller: string, account: Account, limit: Limit): CallMemory {
  return {
    account,
    checkResponse(bytes) {
      if (bytes > limit.bytes) throw outputBytesOverLimit(bytes, limit.bytes, limit.name);
    },
    checkBoth(bytes) {
      const most = mostOfOneCaller(budget.maxBytes);
      if (account.bytes + bytes > most) throw requestOverMemory(account.bytes + bytes, most);
    },
    checkRoom: (bytes) => budget.checkRoom(caller, bytes),
    reserve(bytes) {
      const room = budget.open(caller);
      try {
        room.resize(bytes);
      } catch (error) {
        room.close();
        throw error;
      }
      return { [Symbol.dispose]: room.close };
    },
    transferOver: (stream) => ({
      begin(bytes) {
        // How far a single write is stays unknown.
        const totalBytes = bytes <= sliceBytes ? 0 : bytes;
        account.begin({ totalBytes, end: () => stream.close(constants.NGHTTP2_CANCEL) });
      },
      progress: account.progress,
      finish: account.finish,
    }),
    take: (bytes) => account.resize(account.bytes + bytes),
    hold: (bytes) => account.force(account.bytes + bytes),
    async *counting(body) {
      for await (const chunk of body) {
        account.resize(account.bytes + chunk.length);
        yield chunk;
      }
    },
  };
}

/** In a call's context. Without a server nothing is limited. */
export const callMemoryKey = createContextKey<CallMemory>(unlimitedMemory(), { description: 'memory' });

/** The memory of a call that came over no connection. */
export function unlimitedMemory(): CallMemory {
  const budget = createMemoryBudget('MAX_HELD_BYTES', Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY);
  const limit = { bytes: Number.POSITIVE_INFINITY, name: '' };
  return callMemory(budget, '', budget.open(''), limit);
}
