import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { create } from '@bufbuild/protobuf';
import type { ConnectError } from '@connectrpc/connect';
import {
  type ProcessFailure,
  type ProcessRequest,
  ProcessRequestSchema,
  type ProcessResponse,
  type ProcessStreamRequest,
  ProcessStreamRequestSchema,
  type ProcessStreamResponse,
} from '../../../gen/image/v1/processor_pb.ts';
import { isFailureReason, retryAfterOf } from '../../failures.ts';
import { failureFromConnectError } from '../../rpc-failures.ts';
import { type HostLimits, Hosts } from './hosts.ts';
import { type JobFailure, type JobImage, nameOfSource } from './images.ts';
import { inputFailure } from './own-failures.ts';
import { readSource } from './source-file.ts';
import { hostGivenUp, lostTooOften, sourceTooLong } from './transfer-failures.ts';
import { waitingImages } from './waiting-images.ts';

/** The largest MAX_SOURCE_BYTES that a processor may have: what is longer is not even read. */
const maxSourceBytes = 1_073_741_824;

/** Files that are read at once. */
const readsAtOnce = 4;

/** An image that was in flight at so many lost connections is sent by itself from then on: it may be what ends them. */
const suspectAfter = 2;

/** The longest wait of the client's own choice before an image is sent again, in seconds. */
const maxBackoffSeconds = 30;

/** How much is under way. */
export interface QueueLimits extends HostLimits {
  /** Images that are read, sent, or answered and not yet written. */
  readonly inFlight: number;
  /** Bytes of sources held at once, and the same of answers; one image by itself may be longer. */
  readonly bytes: number;
  /** How often one image is sent: when a connection is lost under it, or the processor is full. */
  readonly tries: number;
}

/** What becomes of an image: one of the two is called, once. What they throw ends the job. */
export interface Outcomes {
  onResponse(image: JobImage, response: ProcessResponse): Promise<void>;
  onFailure(image: JobImage, failure: JobFailure): Promise<void>;
}

interface Entry {
  readonly id: string;
  readonly image: JobImage;
  readonly message: ProcessStreamRequest;
  readonly bytes: number;
  /** Connections that were lost with it in flight. */
  lost: number;
  /** Failures that can pass by themselves, of the image itself or of the processor. */
  refused: number;
  /** When the image's host first asked to come again for it. */
  busySinceMs: number | undefined;
}

/** The images of a job on their way: read when there is room, sent, sent again, answered, written. */
export interface ImageQueue {
  /** Whether every image has its outcome. */
  isDone(): boolean;
  /** Resolves at the next change of any kind. */
  changed(): Promise<void>;
  /** The message that may be sent next, if one may be. It counts as in flight from then on. */
  take(): ProcessStreamRequest | undefined;
  /** How many messages wait for their answers. */
  unanswered(): number;
  onAnswer(answer: ProcessStreamResponse): void;
  /** Whether the answers that wait to be written leave room for more. */
  hasRoomForAnswers(): boolean;
  /**
   * A stream has ended: what was not answered goes first into the next, or fails if that has been often enough.
   *
   * @returns whether it ended because of one image, which has its failure then
   */
  takeBack(error: ConnectError): boolean;
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
  let answerBytes = 0;
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
    answerBytes += length;
    const written = outcomes.onResponse(image, response);
    settle(
      written.finally(() => {
        answerBytes -= length;
      }),
    );
  }

  /** Fails for good, or rests and is sent again if the failure can pass by itself. */
  function refuse(entry: Entry, failure: ProcessFailure): void {
    const waitMs = failure.retryable ? waitOf(entry, failure) : undefined;
    if (waitMs !== undefined) {
      rest(entry, waitMs);
      return;
    }
    const { reason, message, metadata, code, retryable } = failure;
    fail(entry.image, entry.bytes, { reason, message, metadata: { ...metadata }, code, retryable });
  }

  /** Milliseconds to wait before an image is sent again; undefined if it has been sent, or has waited, enough. */
  function waitOf(entry: Entry, { reason, metadata }: ProcessFailure): number | undefined {
    const seconds = (isFailureReason(reason) && retryAfterOf({ reason, metadata })) || 1;
    if (isHostBusy(reason, metadata)) {
      // It is the host that is full: that counts as no try of the image.
      entry.busySinceMs ??= performance.now();
      const waitMs = hosts.pause(entry.image.source, seconds);
      if (performance.now() - entry.busySinceMs < limits.hostPatienceMs) return waitMs;
      // The host's other images wait for the end of its pause, too.
      if (waitMs !== undefined) void follow(sleep(waitMs, undefined, { signal: stop })).then(announce);
      return undefined;
    }
    entry.refused++;
    if (entry.refused >= limits.tries) return undefined;
    // At least as long as it says, and longer each time where that is short.
    const backoffSeconds = Math.min(maxBackoffSeconds, 2 ** (entry.refused - 1));
    return Math.max(seconds, backoffSeconds) * 1000 * (1 + Math.random() / 4);
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

  fill();
  return {
    isDone: () => waiting.isEmpty() && held() === 0,
    changed: () => change.promise,

    take() {
      const at = ready.findIndex(({ image }) => hosts.maySend(image.source));
      const first = ready[at];
      if (first === undefined) return undefined;
      const isAlone = [first, ...sent.values()].some(({ lost }) => lost >= suspectAfter);
      if (isAlone && sent.size > 0) return undefined;
      ready.splice(at, 1);
      sent.set(first.id, first);
      hosts.send(first.image.source);
      return first.message;
    },

    unanswered: () => sent.size,

    onAnswer({ id, result }) {
      const entry = sent.get(id);
      if (entry === undefined || result.case === undefined) return;
      sent.delete(id);
      hosts.receive(entry.image.source);
      if (result.case === 'response') succeed(entry, result.value);
      else refuse(entry, result.value);
      announce();
    },

    hasRoomForAnswers: () => answerBytes <= limits.bytes,

    takeBack(error) {
      const entries = [...sent.values()];
      sent.clear();
      for (const { image } of entries) hosts.receive(image.source);
      const told = failureFromConnectError(error);
      const longest = Math.max(0, ...entries.map(({ bytes }) => bytes));
      // The processor refuses a message for its length by ending the stream: it was the longest.
      const isTooLong = told?.reason === 'SOURCE_BYTES_OVER_LIMIT' && longest > 0;
      if (isTooLong) tooLong = Math.min(tooLong, longest);
      const again: Entry[] = [];
      for (const entry of [...entries, ...ready.splice(0)]) {
        // Who drains says so, and has not stumbled over an image.
        if (!isTooLong && told?.reason !== 'DRAINING' && entries.includes(entry)) entry.lost++;
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

async function sourceOf({ source }: JobImage, stop: AbortSignal): Promise<ProcessRequest['source']> {
  return 'url' in source
    ? { case: 'url', value: source.url }
    : { case: 'content', value: await readSource(source.path, stop) };
}

/** Whether a failure says that the image's host is full, whichever image is asked for. */
function isHostBusy(
  reason: string,
  { status, retry_after_seconds: asked }: ProcessFailure['metadata'],
): boolean {
  return reason === 'ORIGIN_BUSY' && (asked !== undefined || status === '429');
}
