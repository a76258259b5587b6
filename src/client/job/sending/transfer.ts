import { create } from '@bufbuild/protobuf';
import {
  type ProcessRequest,
  ProcessRequestSchema,
  type ProcessResponse,
  SourceOptionsSchema,
} from '../../../../gen/image/v1/processor_pb.ts';
import { failureFromConnectError } from '../../../grpc/rpc-failures.ts';
import type { JobImage, JobSource } from '../images.ts';
import { reachService, watchAbsence } from '../sources/absence.ts';
import { readSource } from '../sources/source-file.ts';
import type { ServiceConnection } from './connection.ts';
import { createImageQueue } from './image-queue.ts';
import type { Exchange, Outcomes, QueuedImage, QueueLimits } from './queue-entry.ts';

/** Receives the outcomes of the images and the state of the connection. */
export interface TransferEvents<Image, Response> extends Outcomes<Image, Response> {
  /** The service is unreachable, or a connection was lost; the job retries. */
  onAway(line: string): void;
}

/**
 * Sends the images of a job.
 *
 * @param request - for every image, without its source; only pages of documents take its `sourceOptions`
 * @param password - of documents
 * @throws as transfer
 */
export async function transferImages(
  images: readonly JobImage[],
  request: ProcessRequest,
  password: string | undefined,
  connection: ServiceConnection,
  limits: QueueLimits,
  events: TransferEvents<JobImage, ProcessResponse>,
  signal: AbortSignal,
): Promise<void> {
  const { sourceOptions, ...ofPictures } = request;
  const drawn = sourceOptions ?? create(SourceOptionsSchema);
  const pageOptions = (page: number) =>
    create(SourceOptionsSchema, { ...drawn, page, password: password ?? '' });
  const exchange: Exchange<JobImage, ProcessRequest, ProcessResponse> = {
    bytesOf: ({ source }) => ('url' in source ? 0 : source.bytes),
    requestOf: async ({ source, page }, stop) =>
      create(ProcessRequestSchema, {
        ...ofPictures,
        ...(page !== undefined && { sourceOptions: pageOptions(page.number) }),
        source: await messageSource(source, stop),
      }),
    lengthOf: ({ content }) => content.length,
    send: (queue, away, stop) => connection.sendImages(queue, limits.patienceMs, away, stop),
  };
  await transfer(images, exchange, connection, limits, events, signal);
}

/** The source of a request; a file is read. @throws the system's error */
export async function messageSource(source: JobSource, stop: AbortSignal): Promise<ProcessRequest['source']> {
  return 'url' in source
    ? { case: 'url', value: source.url }
    : { case: 'content', value: await readSource(source.path, stop) };
}

/**
 * Sends images to a service and reports the outcome of each. Images that lose their connection, or whose processor drains,
 * are sent again.
 *
 * @throws ClientError if the service is unreachable or full for too long, or refuses the caller; errors of `events`; the
 *   signal's reason
 */
export async function transfer<Image extends QueuedImage, Request, Response>(
  images: readonly Image[],
  exchange: Exchange<Image, Request, Response>,
  connection: ServiceConnection,
  limits: QueueLimits,
  events: TransferEvents<Image, Response>,
  signal: AbortSignal,
): Promise<void> {
  const ended = new AbortController();
  const stop = AbortSignal.any([signal, ended.signal]);
  const queue = createImageQueue(images, exchange, limits, events, stop, (error) => ended.abort(error));
  const away = watchAbsence(connection, limits.patienceMs, events.onAway);
  try {
    while (!queue.isDone() && !stop.aborted) {
      // The services end idle streams and connections, so none is open while all images wait.
      if (!queue.hasNext()) {
        await queue.changed();
        continue;
      }
      await reachService(connection, limits.patienceMs, away, stop);
      const error = await exchange.send(queue, away, stop);
      const reason = error && failureFromConnectError(error)?.reason;
      // Failures of the last images may still be being written.
      if (error === undefined || queue.takeBack(reason)) await queue.settled();
      else if (!queue.isDone() && (reason !== 'STREAM_IDLE' || queue.hasNext())) {
        await away.report(error.rawMessage, stop);
      }
    }
    stop.throwIfAborted();
  } catch (error) {
    ended.abort(error);
    await queue.settled();
    throw stop.reason;
  }
}
