import { create, fromBinary } from '@bufbuild/protobuf';
import {
  CacheState,
  ImageFormat,
  type ProcessResponse,
  ProcessResponseSchema,
  type Source,
  SourceSchema,
  StageTimeSchema,
  type Tensor,
  TensorSchema,
} from '../../gen/image/v1/processor_pb.ts';
import { messageBytes } from '../grpc/grpc-message.ts';
import type { Found } from './cache/result-cache.ts';
import { codecOf } from './codecs/codecs.ts';
import type { ImageHeader } from './codecs/header.ts';
import type { SourceFormat } from './codecs/source-format.ts';
import type { Geometry } from './image/geometry.ts';
import type { Plan } from './image/plan.ts';
import type { PixelResult } from './image/process-pixels.ts';
import { numericsVersions } from './image/provenance.ts';
import { bytesOfTensor, type TensorDescription } from './image/tensor-container.ts';
import { type Outcome, resultsOf } from './outcome.ts';
import type { CallMemory } from './serving/call-memory.ts';
import type { Stage } from './stopwatch.ts';
import type { WorkerPool } from './workers/pool.ts';

/** The source of a response. */
export interface ResponseSource {
  readonly header: ImageHeader;
  /** SHA-256 in hex. */
  readonly sha256: string;
  /** Length of the encoded source. */
  readonly bytes: number;
  readonly libraries: WorkerPool['libraries'];
}

/** A response as the cache stores it: without the parts that differ for each call. */
export function storedResponse(
  result: PixelResult,
  source: ResponseSource,
  key: string,
  { numerics }: Plan,
): Uint8Array {
  const { content, contentType, width, height, tensors, decisions, tokens } = result;
  const { header, sha256, bytes, libraries } = source;
  const response = create(ProcessResponseSchema, {
    content,
    contentType,
    width,
    height,
    source: sourceMessage(header, sha256, bytes),
    tensors: tensors.map(tensorMessage),
    provenance: {
      numericsVersion: numericsVersions[numerics],
      libraries: { ...libraries },
      decisions: [...decisions],
    },
    key,
    ...tokensMessage(tokens),
  });
  return messageBytes(ProcessResponseSchema, response);
}

/** The contract's description of a source. @param bytes - length of the encoded source */
export function sourceMessage(header: ImageHeader, sha256: string, bytes: number): Source {
  const { width, height, orientation } = header;
  const format = formatValue(header.format);
  const pages = codecOf(header.format).isDocument ? header.frames : 0;
  return create(SourceSchema, { format, width, height, orientation, sha256, bytes: BigInt(bytes), pages });
}

/** The fields of the contract that count an image's tokens. */
export function tokensMessage(
  tokens: Geometry['tokens'],
): Pick<ProcessResponse, 'tokens' | 'grid'> | undefined {
  return tokens && { tokens: BigInt(tokens.count), grid: [...tokens.grid] };
}

/** The contract's description of a tensor. */
export function tensorMessage(tensor: TensorDescription): Tensor {
  const { name, datatype, shape } = tensor;
  const bytes = BigInt(bytesOfTensor(tensor));
  return create(TensorSchema, { name, datatype, shape: shape.map(BigInt), bytes });
}

/**
 * The response to one call from a stored one.
 *
 * @param callStages - stages that ran for this call; those of the workers are in the report
 */
export function respond(
  { value, from, report = [] }: Found & { readonly report?: readonly Stage[] },
  callStages: readonly Stage[],
): ProcessResponse {
  const response = fromBinary(ProcessResponseSchema, value);
  response.cache = cacheStates[from];
  response.stages = [...callStages, ...report].map(({ name, durationMs }) =>
    create(StageTimeSchema, { name, durationMs }),
  );
  return response;
}

/**
 * Counts a call's responses as its memory. Responses computed for this call are not refused. Those from the cache, and
 * from an equal call, are refused if there is no room: room was reserved for only one of the equal calls.
 *
 * @throws Failure OUTPUT_BYTES_OVER_LIMIT, OVERLOADED
 */
export function countResponses(outcomes: readonly Outcome<ProcessResponse>[], memory: CallMemory): void {
  const responses = resultsOf(outcomes);
  const bytesOf = (some: readonly ProcessResponse[]) =>
    some.reduce((sum, { content }) => sum + content.length, 0);
  const isNew = ({ cache }: ProcessResponse) => cache === CacheState.MISS;
  memory.checkResponse(bytesOf(responses));
  memory.take(bytesOf(responses.filter((response) => !isNew(response))));
  memory.hold(bytesOf(responses.filter(isNew)));
}

const cacheStates = {
  computed: CacheState.MISS,
  shared: CacheState.SHARED,
  memory: CacheState.HIT_MEMORY,
  redis: CacheState.HIT_REDIS,
  store: CacheState.HIT_STORE,
} as const satisfies Record<Found['from'], CacheState>;

/** The contract's value for a format. */
export function formatValue(format: SourceFormat): ImageFormat {
  return ImageFormat[format.toUpperCase() as Uppercase<SourceFormat>];
}
