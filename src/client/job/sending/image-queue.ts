import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { create } from '@bufbuild/protobuf';
import { type ProcessFailure, ProcessFailureSchema } from '../../../../gen/image/v1/processor_pb.ts';
import { imageMembers, type JobFailure } from '../images.ts';
import { inputFailure } from '../journal/own-failures.ts';
import { Hosts } from '../sources/hosts.ts';
import type {
  Entry,
  Exchange,
  ImageQueue,
  Outcomes,
  QueuedImage,
  QueueLimits,
  Received,
} from './queue-entry.ts';
import { waitBeforeRetry } from './retry.ts';
import { ServiceLoad } from './service-load.ts';
import { takeBack } from './take-back.ts';
import { hostGivenUp, sourceTooLong, triedTooLong } from './transfer-failures.ts';
import { waitingImages } from './waiting-images.ts';

/** The largest MAX_SOURCE_BYTES that a processor may have; a longer file is not read. */
const maxSourceBytes = 1_073_741_824;

/** Files that are read at the same time. */
const readsAtOnce = 4;

/** After this many lost connections an image is sent by itself, because it may be their cause. */
const suspectAfter = 2;

/**
 * Creates the queue of a job.
 *
 * @param exchange - what is sent for each image
 * @param stop - ends reading and waiting when it aborts
 * @param onError - receives errors that an outcome threw
 */
export function createImageQueue<Image extends QueuedImage, Request, Response>(
  images: readonly Image[],
  exchange: Pick<Exchange<Image, Request, Response>, 'bytesOf' | 'requestOf' | 'lengthOf'>,
  limits: QueueLimits,
  outcomes: Outcomes<Image, Response>,
  stop: AbortSignal,
  onError: (error: unknown) => void,
): ImageQueue<Request, Response> {
  const hosts = new Hosts(limits);
  const service = new ServiceLoad(limits.inFlight, limits.patienceMs);
  const waiting = waitingImages(images, ({ source }) => hosts.mayBegin(source));
  /** Images whose reading has begun; their ids are numbers in that order. */
  let begun = 0;
  let reading = 0;
  /** Images that wait before they are sent again. */
  let waitingToRetry = 0;
  /** Images whose outcome is being written. */
  let settling = 0;
  let sourceBytes = 0;
  let responseBytes = 0;
  let tooLong = maxSourceBytes + 1;
  const ready: Entry<Image, Request>[] = [];
  const sent = new Map<string, Entry<Image, Request>>();
  let change = Promise.withResolvers<void>();
  // Each file that is being read and each waiting image has a listener on it.
  setMaxListeners(0, stop);

  const held = () => reading + waitingToRetry + ready.length + sent.size + settling;

  /** Passes the error of work that nothing awaits to `onError`. */
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
      const bytes = exchange.bytesOf(image);
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

  async function begin(id: string, image: Image, bytes: number): Promise<void> {
    try {
      if ('url' in image.source && hosts.isGivenUp(image.source)) {
        return fail(image, bytes, hostGivenUp(image.source.url));
      }
      if (bytes >= tooLong) return fail(image, bytes, sourceTooLong(bytes));
      const request = await exchange.requestOf(image, stop);
      ready.push({ id, image, request, bytes, lost: 0, refused: 0, busySinceMs: undefined });
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

  function fail(image: Image, bytes: number, failure: Omit<JobFailure, 'source'>): void {
    sourceBytes -= bytes;
    hosts.end(image.source);
    settle(outcomes.onFailure(image, { ...imageMembers(image), ...failure }));
  }

  function succeed({ image, bytes }: Entry<Image, Request>, response: Response): void {
    const length = exchange.lengthOf(response);
    sourceBytes -= bytes;
    service.succeed();
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

  /** Fails an image for good, or sends it again later if the failure is transient. @throws as waitBeforeRetry */
  function refuse(entry: Entry<Image, Request>, failure: ProcessFailure): void {
    const retry = failure.retryable ? waitBeforeRetry(entry, failure, hosts, service, limits) : undefined;
    if (retry?.isSentAgain) {
      outcomes.onRetry?.(entry.image, failure);
      retryLater(entry, retry.waitMs);
      return;
    }
    // The host's other images also wait for the end of its pause.
    if (retry !== undefined) void follow(sleep(retry.waitMs, undefined, { signal: stop })).then(announce);
    const { reason, message, metadata, code, retryable } = failure;
    fail(entry.image, entry.bytes, { reason, message, metadata: { ...metadata }, code, retryable });
  }

  function retryLater(entry: Entry<Image, Request>, waitMs: number): void {
    waitingToRetry++;
    // It has waited longest, so it goes first.
    const waited = sleep(waitMs, undefined, { signal: stop }).then(() => void ready.unshift(entry));
    void follow(waited).then(() => {
      waitingToRetry--;
      announce();
    });
  }

  /** Ends a try without a response, which is a transient failure. */
  function limitTry(entry: Entry<Image, Request>): void {
    const { tryMs } = limits;
    if (tryMs === undefined) return;
    const over = new AbortController();
    entry.expired = over.signal;
    entry.timer = setTimeout(() => {
      over.abort();
      const value = create(ProcessFailureSchema, triedTooLong(tryMs));
      void follow((async () => onResponse({ id: entry.id, result: { case: 'failure', value } }))());
    }, tryMs);
  }

  function onResponse({ id, result }: Received<Response>): void {
    const entry = sent.get(id);
    if (entry === undefined || result.case === undefined) return;
    clearTimeout(entry.timer);
    sent.delete(id);
    hosts.receive(entry.image.source);
    service.pace.receive();
    if (result.case === 'response') succeed(entry, result.value);
    else refuse(entry, result.value);
    announce();
  }

  function nextEntry(): Entry<Image, Request> | undefined {
    if (!service.pace.maySend()) return undefined;
    const entry = ready.find(({ image }) => hosts.maySend(image.source));
    if (entry === undefined) return undefined;
    const isAlone = [entry, ...sent.values()].some(({ lost }) => lost >= suspectAfter);
    return isAlone && sent.size > 0 ? undefined : entry;
  }

  fill();
  return {
    mostInFlight: limits.inFlight,
    isDone: () => waiting.isEmpty() && held() === 0,
    changed: () => change.promise,

    hasNext: () => nextEntry() !== undefined,

    take() {
      const entry = nextEntry();
      if (entry === undefined) return undefined;
      ready.splice(ready.indexOf(entry), 1);
      sent.set(entry.id, entry);
      hosts.send(entry.image.source);
      service.pace.send();
      limitTry(entry);
      return entry;
    },

    inFlight: () => sent.size,

    onResponse,

    hasRoomForResponses: () => responseBytes <= limits.bytes,

    takeBack(reason, ids) {
      const entries = [...sent.values()].filter(({ id }) => ids?.has(id) ?? true);
      for (const { id } of entries) sent.delete(id);
      for (const { image, timer } of entries) {
        clearTimeout(timer);
        hosts.receive(image.source);
        service.pace.receive();
      }
      const result = takeBack(entries, ready.splice(0), reason, tooLong, limits.tries);
      tooLong = result.tooLong;
      for (const { entry, failure } of result.failed) fail(entry.image, entry.bytes, failure);
      ready.push(...result.again);
      announce();
      return result.wasTooLong;
    },

    async settled() {
      while (settling > 0) await change.promise;
    },
  };
}
