import { create } from '@bufbuild/protobuf';
import {
  ProcessFailureSchema,
  type ProcessRequest,
  type ProcessResponse,
  type ProcessStreamRequest,
  type ProcessStreamResponse,
  ProcessStreamResponseSchema,
} from '../gen/image/v1/processor_pb.ts';
import { Failure, failureKinds } from './failures.ts';
import { publicFailure } from './grpc/rpc-failures.ts';
import { mapConcurrently } from './map-concurrently.ts';
import type { Place, WaitingEnd } from './waiting-places.ts';

/** The longest `id` of a stream's message, in characters: it is held while the image is processed. */
const maxIdLength = 256;

/**
 * ProcessStream of both services: one response for each image, in the order in which they are ready.
 *
 * @param processOne - processes one image
 * @param options.concurrency - images of one stream in work at once; while that many are, the next message isn't read,
 *   which holds the sender back
 * @param options.place - where the stream waits while it has no image in work
 * @param options.draining - when it aborts, no more images are read, and those in work still get their responses
 * @throws Failure DRAINING
 */
export async function* processImages(
  messages: AsyncIterable<ProcessStreamRequest>,
  processOne: (request: ProcessRequest, id: string) => Promise<ProcessResponse>,
  {
    concurrency,
    place,
    draining,
  }: { readonly concurrency: number; readonly place: Place; readonly draining: AbortSignal },
): AsyncGenerator<ProcessStreamResponse, void> {
  let inWork = 0;
  const one = async (message: ProcessStreamRequest) => {
    if (inWork++ === 0) place.work();
    try {
      return await respond(message, processOne);
    } finally {
      if (--inWork === 0) place.wait();
    }
  };
  const end = yield* mapConcurrently(messages, concurrency, one, draining);
  if (end === 'ended') return;
  throw new Failure(
    'DRAINING',
    'The service is shutting down. Send the images that have no response over another stream.',
  );
}

async function respond(
  { id, request }: ProcessStreamRequest,
  processOne: (request: ProcessRequest, id: string) => Promise<ProcessResponse>,
): Promise<ProcessStreamResponse> {
  try {
    if (id.length > maxIdLength) {
      const limits = { limit: maxIdLength, actual: id.length };
      const text = `id has ${id.length} characters; the limit is ${maxIdLength}.`;
      throw new Failure('OPTION_INVALID', text, limits);
    }
    if (request === undefined) {
      const text = 'The message has no request. Set request.content or request.url.';
      throw new Failure('SOURCE_MISSING', text);
    }
    const response = await processOne(request, id);
    return create(ProcessStreamResponseSchema, { id, result: { case: 'response', value: response } });
  } catch (error) {
    const { reason, message, metadata, isRetryable: retryable } = publicFailure(error);
    const { code } = failureKinds[reason];
    const failure = { code, reason, message, metadata: { ...metadata }, retryable };
    const value = create(ProcessFailureSchema, failure);
    return create(ProcessStreamResponseSchema, {
      id: id.slice(0, maxIdLength),
      result: { case: 'failure', value },
    });
  }
}

/** The failure of a stream that has waited too long, or for which there is no place any more. */
export function streamIdle({ why, limit }: WaitingEnd): Failure {
  return new Failure(
    'STREAM_IDLE',
    why === 'late'
      ? `The stream had no image in work for ${limit} ms. Open another one when there is an image to send.`
      : `More than ${limit} streams had no image in work, and this one had waited longest. Open another one when there is an image to send.`,
    { limit },
  );
}

/** Seconds after which a stream that was refused may have a place. */
const retryAfterS = 5;

/** The failure of a stream that gets no place. */
export function streamsOverLimit({ limit, isPerCaller }: { limit: number; isPerCaller: boolean }): Failure {
  const whose = isPerCaller ? 'of this caller ' : '';
  return new Failure(
    'STREAMS_OVER_LIMIT',
    `${limit} streams ${whose}have no image in work, which is the limit. Send more images over one stream, or close those that are not used.`,
    { limit, actual: limit + 1, retry_after_seconds: retryAfterS },
  );
}
