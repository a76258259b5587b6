import type { ProcessStreamRequest, ProcessStreamResponse } from '../../../gen/image/v1/processor_pb.ts';
import type { Share } from './held-bytes.ts';
import { contentBytes } from './response-price.ts';

/** The memory of a stream of images: bytes that are not a message yet, images without a response, and responses. */
export interface HeldStream {
  /** @throws Failure OVERLOADED, which ends the stream: its caller sends again what has no response */
  read(chunkBytes: number): void;
  /** Counts the images that pass to the processor. @throws Failure OVERLOADED */
  requests(all: AsyncIterable<ProcessStreamRequest>): AsyncIterable<ProcessStreamRequest>;
  /** Takes memory for the response to an image, as soon as its length is known. @throws Failure OVERLOADED */
  take(id: string, messageBytes: number): void;
  /** Counts the responses that pass to the caller. */
  responses(all: AsyncIterable<ProcessStreamResponse>): AsyncIterable<ProcessStreamResponse>;
}

interface Pending {
  readonly bytes: number;
  /** Of the response: its length where that is known, and before that as far as the options tell it. */
  readonly expectedBytes: number;
}

/** @param maxResponseBytes - longest content of a response; the processor sends none that is longer */
export function createHeldStream(share: Share, maxResponseBytes: number): HeldStream {
  const pending = new Map<string, Pending>();
  let pendingBytes = 0;
  let unparsedBytes = 0;
  let lastChunkBytes = 0;

  function heldBytes(): number {
    let bytes = unparsedBytes + pendingBytes;
    for (const { expectedBytes } of pending.values()) bytes += expectedBytes;
    return bytes;
  }

  function add({ id, request }: ProcessStreamRequest): void {
    const source = request?.source;
    const bytes = source?.case === 'content' ? source.value.length : 0;
    // Connect reads no further than it must for a message, so what is left is of the last chunk.
    unparsedBytes = Math.min(unparsedBytes - bytes, lastChunkBytes);
    pendingBytes += bytes;
    const known = pending.get(id);
    const expectedBytes = request === undefined ? 0 : Math.min(contentBytes(request), maxResponseBytes);
    pending.set(id, {
      bytes: (known?.bytes ?? 0) + bytes,
      expectedBytes: (known?.expectedBytes ?? 0) + expectedBytes,
    });
  }

  return {
    read(chunkBytes) {
      lastChunkBytes = chunkBytes;
      unparsedBytes += chunkBytes;
      share.holds(heldBytes());
    },
    async *requests(all) {
      for await (const message of all) {
        add(message);
        share.holds(heldBytes());
        yield message;
      }
    },
    take(id, messageBytes) {
      const known = pending.get(id);
      if (known !== undefined) pending.set(id, { ...known, expectedBytes: messageBytes });
      share.holds(heldBytes());
    },
    async *responses(all) {
      for await (const response of all) {
        const { result } = response;
        const contentLength = result.case === 'response' ? result.value.content.length : 0;
        pendingBytes -= pending.get(response.id)?.bytes ?? 0;
        pending.delete(response.id);
        // It has arrived already.
        share.responds(heldBytes() + contentLength);
        yield response;
        share.responds(heldBytes());
      }
    },
  };
}
