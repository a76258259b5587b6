import { create, fromJson, type JsonValue } from '@bufbuild/protobuf';
import {
  type ProcessRequest,
  ProcessRequestSchema,
  type ProcessResponse,
  ProcessResponseSchema,
  TensorContainer,
  TensorOutputSchema,
} from '../../gen/image/v1/processor_pb.ts';
import type { DatatypeName } from '../../src/datatypes.ts';
import { Failure } from '../../src/failures.ts';
import { readHeader } from '../../src/processor/codecs/read-header.ts';
import { valuesIn } from '../../src/processor/image/tensor-container.ts';
import { createPresets } from '../../src/processor/presets/presets.ts';
import { processBatch } from '../../src/processor/process-batch.ts';
import { tensorMessage } from '../../src/processor/respond.ts';
import { planOf } from '../../src/processor/rules/rules.ts';
import { unlimitedMemory } from '../../src/processor/serving/call-memory.ts';
import { unpackFailure } from '../../src/processor/workers/failure.ts';
import { failureOf } from '../support/failure.ts';
import { processOnePlan } from '../support/one-plan.ts';
import type { NamedTensor } from './compare-tensors.ts';

/*
 * The tensors of requests, on the processor's own path without its server: rules, header, geometry, pixels, batch.
 */

const maxPixels = 2 ** 28;
const presets = createPresets({});
const memory = unlimitedMemory();
const { signal } = new AbortController();

/** Tensors, or the failure that a caller gets. */
export type Outcome = { readonly tensors: readonly NamedTensor[] } | { readonly refusal: Failure };

/** The failure of a request whose plan depends on no image, such as an unsupported preset. */
export function refusalOf(request: JsonValue): Failure | undefined {
  return failureOf(() => planOf(requestFor(request, new Uint8Array()), maxPixels, presets));
}

/** @param request - image.v1.ProcessRequest in proto3 JSON, without source and output */
export async function ourTensors(request: JsonValue, content: Uint8Array): Promise<Outcome> {
  return outcomeOf(() => processOne(requestFor(request, content)));
}

/** The same for the images of one batch. */
export async function ourBatch(request: JsonValue, contents: readonly Uint8Array[]): Promise<Outcome> {
  const requests = contents.map((content) => requestFor(request, content));
  const processing = {
    processOne,
    planOf: (each: ProcessRequest) => planOf(each, maxPixels, presets),
    memory,
    concurrency: 1,
  };
  return outcomeOf(() => processBatch(requests, processing, signal));
}

function requestFor(request: JsonValue, content: Uint8Array): ProcessRequest {
  const message = fromJson(ProcessRequestSchema, request);
  const value = create(TensorOutputSchema, { container: TensorContainer.SAFETENSORS });
  return { ...message, source: { case: 'content', value: content }, output: { case: 'tensor', value } };
}

async function processOne(request: ProcessRequest): Promise<ProcessResponse> {
  const content = request.source.value as Uint8Array<ArrayBuffer>;
  const plan = planOf(request, maxPixels, presets);
  const header = await readHeader(content, maxPixels);
  const outcome = await processOnePlan(content, header, plan, maxPixels);
  if ('failure' in outcome) throw unpackFailure(outcome.failure);
  const { result } = outcome;
  return create(ProcessResponseSchema, {
    content: result.content,
    contentType: result.contentType,
    tensors: result.tensors.map(tensorMessage),
  });
}

async function outcomeOf(run: () => Promise<Pick<ProcessResponse, 'content' | 'tensors'>>): Promise<Outcome> {
  try {
    const { content, tensors } = await run();
    const described = tensors.map(({ name, datatype, shape }) => ({
      name,
      datatype: datatype as DatatypeName,
      shape: shape.map(Number),
    }));
    const values = valuesIn(content, described);
    return { tensors: described.map((tensor, at) => ({ ...tensor, values: values[at] as Uint8Array })) };
  } catch (error) {
    if (error instanceof Failure) return { refusal: error };
    throw error;
  }
}
