import type { ProcessStreamRequest, ProcessStreamResponse } from '../../gen/image/v1/processor_pb.ts';
import type { Share } from './held-bytes.ts';

/** What a stream of images holds: bytes that aren't a message yet, and images that have no answer yet. */
export interface HeldStream {
  /** @throws Failure OVERLOADED, which ends the stream: its caller sends what has no answer once more */
  read(chunkBytes: number): void;
  /** Looks at what passes, on its way to the processor. */
  requests(all: AsyncIterable<ProcessStreamRequest>): AsyncIterable<ProcessStreamRequest>;
  /** Looks at what passes, on its way back. */
  answers(all: AsyncIterable<ProcessStreamResponse>): AsyncIterable<ProcessStreamResponse>;
}

export function createHeldStream(share: Share): HeldStream {
  const unanswered = new Map<string, number>();
  let unansweredBytes = 0;
  let unparsedBytes = 0;
  let lastChunkBytes = 0;
  const tell = () => share.holds(unparsedBytes + unansweredBytes);
  return {
    read(chunkBytes) {
      lastChunkBytes = chunkBytes;
      unparsedBytes += chunkBytes;
      tell();
    },
    async *requests(all) {
      for await (const message of all) {
        const source = message.request?.source;
        const bytes = source?.case === 'content' ? source.value.length : 0;
        // Connect reads no further than it must for a message, so that what is left is of the last chunk.
        unparsedBytes = Math.min(unparsedBytes - bytes, lastChunkBytes);
        unansweredBytes += bytes;
        unanswered.set(message.id, (unanswered.get(message.id) ?? 0) + bytes);
        yield message;
      }
    },
    async *answers(all) {
      for await (const answer of all) {
        unansweredBytes -= unanswered.get(answer.id) ?? 0;
        unanswered.delete(answer.id);
        tell();
        yield answer;
      }
    },
  };
}
