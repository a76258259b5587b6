import { clone, create } from '@bufbuild/protobuf';
import {
  Datatype,
  type ProcessBatchResponse,
  ProcessBatchResponseSchema,
  type ProcessRequest,
  ProcessRequestSchema,
  type ProcessResponse,
  TensorContainer,
  TensorOutputSchema,
} from '../../gen/image/v1/processor_pb.ts';
import { Failure, failureFromAbort, withIndex } from '../failures.ts';
import { mapConcurrently } from '../map-concurrently.ts';
import type { TensorPlan } from './image/plan.ts';
import { containTensor, type TensorDescription, tensorName } from './image/tensor-container.ts';
import { containerNames, datatypesInNpy } from './rules.ts';

/** The most images of one batch. */
const maxImages = 256;

/**
 * Makes one tensor of several images, each processed (and cached) as it would be by itself.
 *
 * @param processOne - what makes a tensor of one image, in the container RAW
 * @param limits.concurrency - images in work at once
 * @param limits.maxOutputPixels - of all images together: the tensor is held whole
 * @throws what an image's failure throws, with the image's index; BATCH_SHAPES_UNEQUAL, OPTION_INVALID,
 *   SOURCE_MISSING, OUTPUT_PIXELS_OVER_LIMIT
 */
export async function processBatch(
  requests: readonly ProcessRequest[],
  processOne: (request: ProcessRequest, signal: AbortSignal) => Promise<ProcessResponse>,
  limits: { readonly concurrency: number; readonly maxOutputPixels: number },
  signal: AbortSignal,
): Promise<ProcessBatchResponse> {
  // One failure is the batch's: the images that wait need not be processed then.
  const failed = new AbortController();
  const stop = AbortSignal.any([signal, failed.signal]);
  try {
    return await processAll(requests, (request) => processOne(request, stop), limits, stop);
  } finally {
    failed.abort();
  }
}

async function processAll(
  requests: readonly ProcessRequest[],
  processOne: (request: ProcessRequest) => Promise<ProcessResponse>,
  limits: { readonly concurrency: number; readonly maxOutputPixels: number },
  stop: AbortSignal,
): Promise<ProcessBatchResponse> {
  const container = containerOfAll(requests);
  const images: ProcessResponse[] = new Array(requests.length);
  let pixels = 0;
  const process = ([index, request]: [number, ProcessRequest]) =>
    processOne(asRawTensor(request)).then(
      (response) => ({ index, response }),
      (error: unknown) => ({ index, error }),
    );
  const outcomes = mapConcurrently(indexed(requests), limits.concurrency, process, stop);
  for await (const outcome of outcomes) {
    const { index } = outcome;
    const response = ofBatch(index, () => {
      if ('error' in outcome) throw outcome.error;
      return outcome.response;
    });
    images[index] = response;
    pixels += response.width * response.height;
    if (pixels > limits.maxOutputPixels) {
      throw new Failure(
        'OUTPUT_PIXELS_OVER_LIMIT',
        `The images of the batch come to more than ${limits.maxOutputPixels} pixels together. Send fewer at once.`,
        { limit: limits.maxOutputPixels, actual: pixels },
      );
    }
  }
  if (stop.aborted) throw failureFromAbort(stop);
  return stacked(images, container);
}

function containerOfAll(requests: readonly ProcessRequest[]): TensorPlan['container'] {
  const [first] = requests;
  if (first === undefined) throw new Failure('SOURCE_MISSING', 'The batch has no image. Set requests.');
  if (requests.length > maxImages) {
    throw new Failure(
      'OPTION_INVALID',
      `The batch has ${requests.length} images; the limit is ${maxImages}. Send several batches.`,
      { option: 'requests', limit: maxImages, actual: requests.length },
    );
  }
  const containers = requests.map((request, index) => ofBatch(index, () => containerOf(request)));
  for (const [index, container] of containers.entries()) {
    ofBatch(index, () => {
      if (container !== containers[0]) throw invalid('container', 'the same for all images of a batch');
    });
  }
  // The images themselves are asked for raw, so that nobody else sees BF16 and npy together.
  for (const [index, { output }] of requests.entries()) {
    ofBatch(index, () => {
      if (isBfloat16InNpy(output)) throw invalid('datatype', datatypesInNpy);
    });
  }
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

function isBfloat16InNpy({ case: kind, value }: ProcessRequest['output']): boolean {
  return kind === 'tensor' && value.datatype === Datatype.BF16 && value.container === TensorContainer.NPY;
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

function stacked(
  images: readonly ProcessResponse[],
  container: TensorPlan['container'],
): ProcessBatchResponse {
  const [, ...one] = images[0]?.tensor?.shape.map(Number) ?? [];
  const datatype = images[0]?.tensor?.datatype as TensorDescription['datatype'];
  images.forEach(({ tensor }, index) => {
    const [, ...other] = tensor?.shape.map(Number) ?? [];
    if (tensor?.datatype === datatype && other.join() === one.join()) return;
    throw new Failure(
      'BATCH_SHAPES_UNEQUAL',
      `Image 0 comes to ${datatype} [${one.join(', ')}] and image ${index} to ${tensor?.datatype} [${other.join(', ')}]. Give them one size and one datatype.`,
      { index, expected: one.join(','), actual: other.join(',') },
    );
  });
  const shape = [images.length, ...one];
  const values = Buffer.concat(images.map(({ content }) => content));
  const { content, contentType } = containTensor(values, { datatype, shape }, container);
  return create(ProcessBatchResponseSchema, {
    content,
    contentType,
    tensor: { name: tensorName, datatype, shape: shape.map(BigInt) },
    images: images.map((image) => ({ ...image, content: new Uint8Array() })),
  });
}

async function* indexed<T>(values: readonly T[]): AsyncGenerator<[index: number, value: T]> {
  yield* values.entries();
}
