import { clone, create } from '@bufbuild/protobuf';
import {
  type ProcessBatchResponse,
  type ProcessRequest,
  ProcessRequestSchema,
  type ProcessResponse,
  TensorContainer,
  TensorOutputSchema,
} from '../../gen/image/v1/processor_pb.ts';
import { Failure, failureFromAbort, withIndex } from '../failures.ts';
import { maxBatchImages } from '../grpc/messages/message-limits.ts';
import { mapConcurrently } from '../map-concurrently.ts';
import { openBatch } from './batch-tensors.ts';
import type { Plan, TensorPlan } from './image/plan.ts';
import { namesOfTensors } from './image/tensor.ts';
import { checkCombinations } from './rules/check-combinations.ts';
import { containerNames } from './rules/enum-names.ts';
import { type ContainerName, containerFor } from './rules/output-plan.ts';
import type { CallMemory } from './serving/call-memory.ts';

/** The parts of the service that a batch uses. */
export interface BatchProcessing {
  /** Processes one image to tensors. */
  processOne(request: ProcessRequest, signal: AbortSignal): Promise<ProcessResponse>;
  planOf(request: ProcessRequest): Plan;
  readonly memory: CallMemory;
  /** Limit of images in progress at once. */
  readonly concurrency: number;
}

/**
 * Processes several images and joins their tensors. Each image is processed (and cached) as if sent separately.
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
  const name = containerOfAll(requests);
  const plan = ofBatch(0, () => planOf(asPart(requests[0] as ProcessRequest, TensorContainer.SAFETENSORS)));
  const container = containerOfPlan(name, plan);
  using batch = openBatch(requests.length, plan, container, memory);
  const process = ([index, request]: [number, ProcessRequest]) =>
    processOne(asPart(request, batch.partContainer), stop).then(
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
    batch.put(index, response);
  }
  if (stop.aborted) throw failureFromAbort(stop);
  return batch.response();
}

/** @throws OPTION_INVALID if the container cannot contain the plan's tensors */
function containerOfPlan(name: ContainerName, { output }: Plan): TensorPlan['container'] {
  const tensor = output as TensorPlan;
  return containerFor(name, namesOfTensors(tensor), tensor.datatype);
}

function containerOfAll(requests: readonly ProcessRequest[]): ContainerName {
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
  return containers[0] as ContainerName;
}

function containerOf(request: ProcessRequest): ContainerName {
  if (request.output.case === 'tensor') {
    const names: Readonly<Record<number, ContainerName>> = containerNames;
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

/** The request for one image of the batch, in a container of its own. */
function asPart(request: ProcessRequest, container: TensorContainer): ProcessRequest {
  const part = clone(ProcessRequestSchema, { ...request, source: { case: undefined } });
  const tensor = part.output.case === 'tensor' ? part.output.value : create(TensorOutputSchema);
  tensor.container = container;
  part.output = { case: 'tensor', value: tensor };
  // Not cloned: it may be megabytes.
  part.source = request.source;
  return part;
}

function ofBatch<T>(index: number, read: () => T): T {
  return withIndex(`Image ${index} of the batch`, index, read);
}

async function* indexed<T>(values: readonly T[]): AsyncGenerator<[index: number, value: T]> {
  yield* values.entries();
}
