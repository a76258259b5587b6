import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { create } from '@bufbuild/protobuf';
import {
  type ProcessFailure,
  type ProcessRequest,
  ProcessRequestSchema,
  type ProcessResponse,
  type ProcessStreamRequest,
  ProcessStreamRequestSchema,
  type ProcessStreamResponse,
} from '../../../../gen/image/v1/processor_pb.ts';
import type { FailureReason } from '../../../failures.ts';
import { type JobFailure, type JobImage, nameOfSource } from '../images.ts';
import { inputFailure } from '../journal/own-failures.ts';
import { Hosts } from '../sources/hosts.ts';
import { readSource } from '../sources/source-file.ts';
import { type Attempts, type RetryLimits, waitBeforeRetry } from './retry.ts';
import { hostGivenUp, lostTooOften, sourceTooLong } from './transfer-failures.ts';
import { waitingImages } from './waiting-images.ts';

/** The largest MAX_SOURCE_BYTES that a processor may have; a longer file is not read. */
const maxSourceBytes = 1_073_741_824;

/** Files that are read at once. */
const readsAtOnce = 4;

/** Lost connections with an image in flight after which it is sent by itself: it may be what ends them. */
const suspectAfter = 2;

/** How much is under way. */
export interface QueueLimits extends RetryLimits {
  /** Images that are read, sent, or have a response that is not yet written. */
  readonly inFlight: number;
  /** Bytes of sources held at once, and the same of responses; one image by itself may be longer. */
  readonly bytes: number;
}

/** The outcome of an image: one of the two is called, once. What they throw ends the job. */
export interface Outcomes {
  onResponse(image: JobImage, response: ProcessResponse): Promise<void>;
  onFailure(image: JobImage, failure: JobFailure): Promise<void>;
}

interface Entry extends Attempts {
  readonly id: string;
  readonly message: ProcessStreamRequest;
  readonly bytes: number;
  /** Connections that were lost with it in flight. */
  lost: number;
}

/** The images of a job on their way: read when there is room, sent, sent again, responded to, written. */
export interface ImageQueue {
  /** Whether every image has its outcome. */
  isDone(): boolean;
  /** Resolves at the next change of any kind. */
  changed(): Promise<void>;
  /** Whether `take` has a message. */
  hasNext(): boolean;
  /** The message that may be sent next, if there is one. It counts as in flight from then on. */
  take(): ProcessStreamRequest | undefined;
  /** How many messages are in flight. */
  inFlight(): number;
  onResponse(response: ProcessStreamResponse): void;
  /** Whether the responses that wait to be written leave room for more. */
  hasRoomForResponses(): boolean;
  /**
   * A stream has ended: images in flight are sent first over the next, or fail after enough tries.
   *
   * @param reason - the service's, if it gave one
   * @returns whether the stream ended because of one image, which has failed now
   */
  takeBack(reason: FailureReason | undefined): boolean;
  /** Ends when nothing is being written any more. */
  settled(): Promise<void>;
}

/**
 * @param request - for every image, without its source
 * @param stop - when it aborts no more is read
 * @param onError - gets what an outcome has thrown
 */
export function createImageQueue(
  images: readonly JobImage[],
  request: ProcessRequest,
  limits: QueueLimits,
  outcomes: Outcomes,
  stop: AbortSignal,
  onError: (error: unknown) => void,
): ImageQueue {
  const hosts = new Hosts(limits);
  const waiting = waitingImages(images, ({ source }) => hosts.mayBegin(source));
  /** Ids are numbers in the order in which images were begun. */
  let begun = 0;
  let reading = 0;
  /** Images that wait before they are sent again. */
  let resting = 0;
  /** Images whose outcome is being written. */
  let settling = 0;
  let sourceBytes = 0;
  let responseBytes = 0;
  let tooLong = maxSourceBytes + 1;
  const ready: Entry[] = [];
  const sent = new Map<string, Entry>();
  let change = Promise.withResolvers<void>();
  // Each file that is read and each image that rests listens to it.
  setMaxListeners(0, stop);

  const held = () => reading + resting + ready.length + sent.size + settling;

  /** Work that nobody awaits. Its end is a change. */
  async function follow(work: Promise<void>): Promise<void> {
    try {
      await work;
    } catch (error) {
      onError(error);
    }
  }

  function announce(): void {
    fill();
    change.resolve();
    change = Promise.withResolvers();
  }

  function fill(): void {
    while (!stop.aborted && reading < readsAtOnce && held() < limits.inFlight) {
      const image = waiting.peek();
      if (image === undefined) return;
      const bytes = 'url' in image.source ? 0 : image.source.bytes;
      if (sourceBytes > 0 && sourceBytes + bytes > limits.bytes) return;
      waiting.take();
      hosts.begin(image.source);
      sourceBytes += bytes;
      reading++;
      void follow(begin(String(begun++), image, bytes)).then(() => {
        reading--;
        announce();
      });
    }
  }

  async function begin(id: string, image: JobImage, bytes: number): Promise<void> {
    try {
      if ('url' in image.source && hosts.isGivenUp(image.source)) {
        return fail(image, bytes, hostGivenUp(image.source.url));
      }
      const source = bytes >= tooLong ? undefined : await sourceOf(image, stop);
      if (source === undefined) return fail(image, bytes, sourceTooLong(bytes));
      const message = create(ProcessStreamRequestSchema, {
        id,
        request: create(ProcessRequestSchema, { ...request, source }),
      });
      ready.push({ id, image, message, bytes, lost: 0, refused: 0, busySinceMs: undefined });
    } catch (error) {
      stop.throwIfAborted();
      fail(image, bytes, inputFailure(error));
    }
  }

  function settle(work: Promise<void>): void {
    settling++;
    void follow(work).then(() => {
      settling--;
      announce();
    });
  }

  function fail(image: JobImage, bytes: number, failure: Omit<JobFailure, 'source'>): void {
    sourceBytes -= bytes;
    hosts.end(image.source);
    settle(outcomes.onFailure(image, { source: nameOfSource(image.source), ...failure }));
  }

  function succeed({ image, bytes }: Entry, response: ProcessResponse): void {
    const { length } = response.content;
    sourceBytes -= bytes;
    hosts.succeed(image.source);
    hosts.end(image.source);
    responseBytes += length;
    const written = outcomes.onResponse(image, response);
    settle(
      written.finally(() => {
        responseBytes -= length;
      }),
    );
  }

  /** Fails for good, or rests and is sent again if the failure can pass by itself. */
  function refuse(entry: Entry, failure: ProcessFailure): void {
    const retry = failure.retryable ? waitBeforeRetry(entry, failure, hosts, limits) : undefined;
    if (retry?.isSentAgain) {
      rest(entry, retry.waitMs);
      return;
    }
    // The host's other images wait for the end of its pause, too.
    if (retry !== undefined) void follow(sleep(retry.waitMs, undefined, { signal: stop })).then(announce);
    const { reason, message, metadata, code, retryable } = failure;
    fail(entry.image, entry.bytes, { reason, message, metadata: { ...metadata }, code, retryable });
  }

  function rest(entry: Entry, waitMs: number): void {
    resting++;
    // It has waited longest.
    const rested = sleep(waitMs, undefined, { signal: stop }).then(() => void ready.unshift(entry));
    void follow(rested).then(() => {
      resting--;
      announce();
    });
  }

  function nextEntry(): Entry | undefined {
    const entry = ready.find(({ image }) => hosts.maySend(image.source));
    if (entry === undefined) return undefined;
    const isAlone = [entry, ...sent.values()].some(({ lost }) => lost >= suspectAfter);
    return isAlone && sent.size > 0 ? undefined : entry;
  }

  fill();
  return {
    isDone: () => waiting.isEmpty() && held() === 0,
    changed: () => change.promise,

    hasNext: () => nextEntry() !== undefined,

    take() {
      const entry = nextEntry();
      if (entry === undefined) return undefined;
      ready.splice(ready.indexOf(entry), 1);
      sent.set(entry.id, entry);
      hosts.send(entry.image.source);
      return entry.message;
    },

    inFlight: () => sent.size,

    onResponse({ id, result }) {
      const entry = sent.get(id);
      if (entry === undefined || result.case === undefined) return;
      sent.delete(id);
      hosts.receive(entry.image.source);
      if (result.case === 'response') succeed(entry, result.value);
      else refuse(entry, result.value);
      announce();
    },

    hasRoomForResponses: () => responseBytes <= limits.bytes,

    takeBack(reason) {
      const entries = [...sent.values()];
      sent.clear();
      for (const { image } of entries) hosts.receive(image.source);
      const longest = Math.max(0, ...entries.map(({ bytes }) => bytes));
      // The processor refuses a message for its length by ending the stream: it was the longest.
      const isTooLong = reason === 'SOURCE_BYTES_OVER_LIMIT' && longest > 0;
      if (isTooLong) tooLong = Math.min(tooLong, longest);
      const again: Entry[] = [];
      for (const entry of [...entries, ...ready.splice(0)]) {
        if (!isTooLong && !isOfService(reason) && entries.includes(entry)) entry.lost++;
        if (entry.bytes >= tooLong) fail(entry.image, entry.bytes, sourceTooLong(entry.bytes));
        else if (entry.lost >= limits.tries) fail(entry.image, entry.bytes, lostTooOften(entry.lost));
        else again.push(entry);
      }
      ready.push(...again);
      announce();
      return isTooLong;
    },

    async settled() {
      while (settling > 0) await change.promise;
    },
  };
}

/** Whether a stream ended for a reason that no image of it has caused. */
function isOfService(reason: FailureReason | undefined): boolean {
  return ['DRAINING', 'OVERLOADED', 'STREAMS_OVER_LIMIT', 'STREAM_IDLE'].includes(reason ?? '');
}

async function sourceOf({ source }: JobImage, stop: AbortSignal): Promise<ProcessRequest['source']> {
  return 'url' in source
    ? { case: 'url', value: source.url }
    : { case: 'content', value: await readSource(source.path, stop) };
}
