import { clone, create } from '@bufbuild/protobuf';
import {
  type ProcessBatchResponse,
  ProcessBatchResponseSchema,
  type ProcessRequest,
  ProcessRequestSchema,
  type ProcessResponse,
  TensorContainer,
  TensorOutputSchema,
} from '../../gen/image/v1/processor_pb.ts';
import { Failure, failureFromAbort, withIndex } from '../failures.ts';
import { maxBatchImages } from '../grpc/messages/message-limits.ts';
import { mapConcurrently } from '../map-concurrently.ts';
import { fixedValueBytes } from './image/outputs.ts';
import type { Plan, TensorPlan } from './image/plan.ts';
import { type OpenContainer, openContainer, type TensorDescription } from './image/tensor-container.ts';
import { tensorMessage } from './respond.ts';
import { checkCombinations } from './rules/check-combinations.ts';
import { containerNames } from './rules/enum-names.ts';
import type { CallMemory } from './serving/call-memory.ts';

/** The parts of the service that a batch uses. */
export interface BatchProcessing {
  /** Processes one image to a tensor, in the container RAW. */
  processOne(request: ProcessRequest, signal: AbortSignal): Promise<ProcessResponse>;
  planOf(request: ProcessRequest): Plan;
  readonly memory: CallMemory;
  /** Limit of images in progress at once. */
  readonly concurrency: number;
}

/**
 * Processes several images to one tensor. Each image is processed (and cached) as if sent separately. Each image's
 * values are copied into the tensor as they arrive, so besides it only the values of images in progress are in memory.
 *
 * @throws what an image's failure throws, with the image's index; BATCH_SHAPES_UNEQUAL, OPTION_INVALID,
 *   SOURCE_MISSING, OUTPUT_BYTES_OVER_LIMIT, OVERLOADED
 */
export async function processBatch(
  requests: readonly ProcessRequest[],
  processing: BatchProcessing,
  signal: AbortSignal,
): Promise<ProcessBatchResponse> {
  // One failure fails the batch, so the images that wait need not be processed.
  const failed = new AbortController();
  const stop = AbortSignal.any([signal, failed.signal]);
  try {
    return await processAll(requests, processing, stop);
  } finally {
    failed.abort();
  }
}

async function processAll(
  requests: readonly ProcessRequest[],
  { processOne, planOf, memory, concurrency }: BatchProcessing,
  stop: AbortSignal,
): Promise<ProcessBatchResponse> {
  const container = containerOfAll(requests);
  const plan = ofBatch(0, () => planOf(asRawTensor(requests[0] as ProcessRequest)));
  using stack = createStack(requests.length, container, memory);
  // If the options determine the size, a mismatch is found before any work is done.
  const knownBytes = fixedValueBytes(plan);
  if (knownBytes !== undefined) stack.reserve(knownBytes);
  const process = ([index, request]: [number, ProcessRequest]) =>
    processOne(asRawTensor(request), stop).then(
      (response) => ({ index, response }),
      (error: unknown) => ({ index, error }),
    );
  const outcomes = mapConcurrently(indexed(requests), concurrency, process, stop);
  for await (const outcome of outcomes) {
    const { index } = outcome;
    const response = ofBatch(index, () => {
      if ('error' in outcome) throw outcome.error;
      return outcome.response;
    });
    stack.put(index, response);
    memory.hold(-response.content.length);
  }
  if (stop.aborted) throw failureFromAbort(stop);
  return stack.response();
}

function containerOfAll(requests: readonly ProcessRequest[]): TensorPlan['container'] {
  const [first] = requests;
  if (first === undefined) throw new Failure('SOURCE_MISSING', 'The batch has no image. Set requests.');
  if (requests.length > maxBatchImages) {
    throw new Failure(
      'OPTION_INVALID',
      `The batch has ${requests.length} images; the limit is ${maxBatchImages}. Send several batches.`,
      { option: 'requests', limit: maxBatchImages, actual: requests.length },
    );
  }
  const containers = requests.map((request, index) => ofBatch(index, () => containerOf(request)));
  for (const [index, container] of containers.entries()) {
    ofBatch(index, () => {
      if (container !== containers[0]) throw invalid('container', 'the same for all images of a batch');
    });
  }
  // The images themselves are requested in raw containers, so a datatype that npy does not have is found only here.
  for (const [index, request] of requests.entries()) ofBatch(index, () => checkCombinations(request));
  return containers[0] as TensorPlan['container'];
}

function containerOf(request: ProcessRequest): TensorPlan['container'] {
  if (request.output.case === 'tensor') {
    const names: Readonly<Record<number, TensorPlan['container']>> = containerNames;
    const name = names[request.output.value.container];
    if (name !== undefined) return name;
    throw invalid('container', [...new Set(Object.values(names))].join(', '));
  }
  const isPreset = request.preset !== '' || request.preprocessorConfig !== '';
  if (request.output.case === undefined && isPreset) return 'raw';
  throw invalid('output', 'a tensor');
}

function invalid(option: string, allowed: string): Failure {
  return new Failure('OPTION_INVALID', `${option} of a batch; allowed: ${allowed}.`, { option, allowed });
}

function asRawTensor(request: ProcessRequest): ProcessRequest {
  const raw = clone(ProcessRequestSchema, { ...request, source: { case: undefined } });
  const tensor = raw.output.case === 'tensor' ? raw.output.value : create(TensorOutputSchema);
  tensor.container = TensorContainer.RAW;
  raw.output = { case: 'tensor', value: tensor };
  // Not cloned: it may be megabytes.
  raw.source = request.source;
  return raw;
}

function ofBatch<T>(index: number, read: () => T): T {
  return withIndex(`Image ${index} of the batch`, index, read);
}

/** The tensor of a batch, into which the images' values are copied in any order. */
function createStack(count: number, container: TensorPlan['container'], memory: CallMemory) {
  const images: ProcessResponse[] = new Array(count);
  let whole: (OpenContainer & TensorDescription) | undefined;
  let firstIndex = 0;
  let room: Disposable | undefined;

  function reserve(bytesOfOne: number): void {
    memory.checkResponse(count * bytesOfOne);
    memory.checkBoth(count * bytesOfOne);
    room = memory.reserve(count * bytesOfOne);
  }

  function begin({ content, tensors: [tensor] }: ProcessResponse): OpenContainer & TensorDescription {
    if (room === undefined) reserve(content.length);
    const [, ...one] = tensor?.shape.map(Number) ?? [];
    const description = {
      name: tensor?.name as TensorDescription['name'],
      datatype: tensor?.datatype as TensorDescription['datatype'],
      shape: [count, ...one],
    };
    return { ...description, ...openContainer([description], container) };
  }

  return {
    /**
     * Takes memory for the tensor, once.
     *
     * @throws Failure OUTPUT_BYTES_OVER_LIMIT, OVERLOADED
     */
    reserve,
    /** @throws Failure BATCH_SHAPES_UNEQUAL, and what `reserve` throws, if it was not called */
    put(index: number, response: ProcessResponse): void {
      if (whole === undefined) {
        whole = begin(response);
        firstIndex = index;
      }
      images[index] = { ...response, content: new Uint8Array() };
      checkShapes(images, firstIndex, index);
      whole.values[0]?.set(response.content, index * response.content.length);
    },
    response(): ProcessBatchResponse {
      const { content, contentType, name, datatype, shape, close } = whole as OpenContainer &
        TensorDescription;
      close();
      memory.hold(content.length);
      const tensors = [tensorMessage({ name, datatype, shape })];
      return create(ProcessBatchResponseSchema, { content, contentType, tensors, images });
    },
    [Symbol.dispose]: () => room?.[Symbol.dispose](),
  };
}

function checkShapes(images: readonly ProcessResponse[], ...indices: readonly number[]): void {
  const [one, other] = indices.toSorted((a, b) => a - b) as [number, number];
  const shapeOf = (index: number) => images[index]?.tensors[0]?.shape.slice(1).map(Number) ?? [];
  const datatypeOf = (index: number) => images[index]?.tensors[0]?.datatype;
  const [expected, actual] = [shapeOf(one).join(), shapeOf(other).join()];
  if (expected === actual && datatypeOf(one) === datatypeOf(other)) return;
  throw new Failure(
    'BATCH_SHAPES_UNEQUAL',
    `Image ${one} becomes ${datatypeOf(one)} [${shapeOf(one).join(', ')}] and image ${other} becomes ${datatypeOf(other)} [${shapeOf(other).join(', ')}]. Give them one size and one datatype.`,
    { index: other, expected, actual },
  );
}

async function* indexed<T>(values: readonly T[]): AsyncGenerator<[index: number, value: T]> {
  yield* values.entries();
}
