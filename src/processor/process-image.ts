import { create, fromBinary } from '@bufbuild/protobuf';
import {
  CacheState,
  ImageFormat,
  type ProcessRequest,
  type ProcessResponse,
  ProcessResponseSchema,
  StageTimeSchema,
} from '../../gen/image/v1/processor_pb.ts';
import { Failure } from '../failures.ts';
import { messageBytes } from '../grpc/grpc-message.ts';
import type { Admission } from './admission/admission.ts';
import { cacheKey } from './cache/cache-key.ts';
import type { Outcome, ResultCache } from './cache/result-cache.ts';
import type { ImageHeader } from './codecs/header.ts';
import { outputBytes } from './image/output-bytes.ts';
import type { Plan, SourceFormat } from './image/plan.ts';
import { priceOf } from './image/price.ts';
import type { PixelResult } from './image/process-pixels.ts';
import { libraries, numericsVersion } from './image/provenance.ts';
import { tensorName } from './image/tensor-container.ts';
import type { Presets } from './presets/presets.ts';
import { planOf } from './rules/rules.ts';
import { type CallMemory, unlimitedMemory } from './serving/call-memory.ts';
import type { SourceReader } from './source/read-source.ts';
import { createStopwatch, type Stage, type StageListener, type Stopwatch } from './stopwatch.ts';
import type { WorkerPool } from './workers/pool.ts';

/** What an image's way leads through. */
export interface ImageProcessing {
  readonly sources: SourceReader;
  readonly cache: ResultCache;
  /** Bounds the images in the workers. */
  readonly admission: Admission;
  readonly workers: WorkerPool;
  readonly presets: Presets;
  readonly limits: { readonly maxSourcePixels: number; readonly maxOutputPixels: number };
}

/** Who waits for the responses. */
export interface Caller {
  /** The caller's name, by which limits per caller count: see caller.ts. */
  readonly name: string;
  readonly signal: AbortSignal;
  /** Until the caller waits no longer; unset: as long as the signal doesn't abort. */
  remainingMs?(): number;
  /** Whether the origin of a URL is asked even where its image is still fresh. */
  readonly mustRevalidate?: boolean | undefined;
  /** What the call may hold. Unset: nothing is limited. */
  readonly memory?: CallMemory;
  /** Hears of the stages that run for this caller; not of those that ran for another who asked for the same. */
  readonly onStage?: StageListener | undefined;
}

/** One image, one answer. */
export async function processImage(
  request: ProcessRequest,
  processing: ImageProcessing,
  caller: Caller,
): Promise<ProcessResponse> {
  const { presets, limits } = processing;
  const plan = planOf(request, limits.maxOutputPixels, presets);
  const [outcome] = await answersOf(request.source, [plan], processing, caller);
  if (outcome === undefined || 'error' in outcome) throw outcome?.error;
  return outcome.result;
}

/** source → cache keys → cache → (admission → pixels) → responses, one for each plan. */
export async function answersOf(
  source: ProcessRequest['source'],
  plans: readonly Plan[],
  processing: ImageProcessing,
  caller: Caller,
): Promise<readonly Outcome<ProcessResponse>[]> {
  const { sources, cache } = processing;
  const { signal, memory = unlimitedMemory() } = caller;
  const stopwatch = createStopwatch(caller.onStage);
  const keysOf = rememberLast((sha256) => plans.map((plan) => cacheKey(sha256, plan)));
  const wanted = { ...source, mustRevalidate: caller.mustRevalidate, caller: caller.name };
  const read = () => sources.read(wanted, (sha256) => findAll(cache, keysOf(sha256)), signal);
  const readings = {
    url: () => stopwatch.time('download', read),
    content: () => stopwatch.time('hash', read),
    sha256: read,
  };
  const image = await (source.case === undefined ? read() : readings[source.case]());
  if ('known' in image) {
    const known = image.known.map(({ value, tier }) => ({
      result: respond(value, tier, stopwatch.stages),
    }));
    return counted(known, memory);
  }
  if (source.case === 'url') memory.hold(image.content.length);
  const ownStages = new Map<number, readonly Stage[]>();
  const keys = keysOf(image.sha256);
  const outcomes = await cache.getOrCompute(keys, signal, async (indices, shared) => {
    const wanted = indices.map((index) => ({ plan: plans[index] as Plan, key: keys[index] as string }));
    const made = await makeAnswers(image, wanted, plans, processing, stopwatch, {
      ...caller,
      signal: shared,
    });
    return made.map((outcome, at) => {
      if ('error' in outcome) return outcome;
      ownStages.set(indices[at] as number, outcome.result.stages);
      return { result: outcome.result.answer };
    });
  });
  const responses = outcomes.map((outcome, index) => {
    if ('error' in outcome) return outcome;
    const { value, from } = outcome.result;
    return { result: respond(value, from, [...stopwatch.stages, ...(ownStages.get(index) ?? [])]) };
  });
  return counted(responses, memory);
}

/**
 * Counts responses until the end of the call. What was made for this call is not refused any more. What was in the cache,
 * or was made for an equal call, is refused where there is no room for it: room was reserved for one of the equal calls.
 *
 * @throws Failure OUTPUT_BYTES_OVER_LIMIT, OVERLOADED
 */
function counted(
  outcomes: readonly Outcome<ProcessResponse>[],
  memory: CallMemory,
): readonly Outcome<ProcessResponse>[] {
  const responses = outcomes.flatMap((outcome) => ('error' in outcome ? [] : [outcome.result]));
  const lengthOf = (some: readonly ProcessResponse[]) =>
    some.reduce((sum, { content }) => sum + content.length, 0);
  memory.checkResponse(lengthOf(responses));
  const isNew = ({ cache }: ProcessResponse) => cache === CacheState.MISS;
  memory.take(lengthOf(responses.filter((response) => !isNew(response))));
  memory.hold(lengthOf(responses.filter(isNew)));
  return outcomes;
}

/** A URL's keys are wanted before it is downloaded and after, and its image is mostly the same. */
function rememberLast<Value>(make: (text: string) => Value): (text: string) => Value {
  let last: { readonly text: string; readonly value: Value } | undefined;
  return (text) => {
    if (last?.text !== text) last = { text, value: make(text) };
    return last.value;
  };
}

/** All of the answers, or none: with one of them missing the image is needed in any case. */
async function findAll(cache: ResultCache, keys: readonly string[]) {
  const found = await Promise.all(keys.map((key) => cache.get(key)));
  return found.every((entry) => entry !== undefined) ? found : undefined;
}

/**
 * header → price → admission → pixels, and the answers as they are cached: without what only this call knows.
 *
 * @param all - plans of the call, with those whose answers are known
 */
async function makeAnswers(
  source: { readonly sha256: string; readonly content: Uint8Array },
  wanted: readonly { readonly plan: Plan; readonly key: string }[],
  all: readonly Plan[],
  { admission, workers, limits }: ImageProcessing,
  stopwatch: Stopwatch,
  { signal, memory = unlimitedMemory(), remainingMs = () => Number.POSITIVE_INFINITY }: Caller,
): Promise<readonly Outcome<{ readonly answer: Uint8Array; readonly stages: readonly Stage[] }>[]> {
  const { sha256, content } = source;
  const { maxSourcePixels, maxOutputPixels } = limits;
  const plans = wanted.map(({ plan }) => plan);
  admission.checkRoom(content.length);
  const header = await stopwatch.time('header', () => workers.readHeader(content, maxSourcePixels, signal));
  const bytesOf = (some: readonly Plan[]) => some.reduce((sum, plan) => sum + outputBytes(header, plan), 0);
  memory.checkResponse(bytesOf(all));
  memory.checkRoom(bytesOf(plans));
  const queued = performance.now();
  const made = await admission.run(
    async () => {
      // Not before: what waits for its turn holds nothing yet.
      using _room = memory.reserve(bytesOf(plans));
      stopwatch.end('queue', queued);
      const asked = performance.now();
      const results = await workers.run({ content, header, plans, maxOutputPixels }, signal);
      stopwatch.tell(
        results.flatMap((result) => (result instanceof Failure ? [] : result.stages)),
        asked,
      );
      return results;
    },
    signal,
    priceOf(header, content.length, plans, maxOutputPixels),
    remainingMs(),
  );
  return made.map((result, index) => {
    if (result instanceof Failure) return { error: result };
    const { key } = wanted[index] as (typeof wanted)[number];
    const answer = messageBytes(ProcessResponseSchema, answerOf(result, header, sha256, content.length, key));
    return { result: { answer, stages: result.stages } };
  });
}

function answerOf(
  { content, contentType, width, height, tensor, decisions }: PixelResult,
  header: ImageHeader,
  sha256: string,
  bytes: number,
  key: string,
): ProcessResponse {
  return create(ProcessResponseSchema, {
    content,
    contentType,
    width,
    height,
    source: {
      format: formatValues[header.format],
      width: header.width,
      height: header.height,
      sha256,
      bytes: BigInt(bytes),
    },
    ...(tensor && {
      tensor: { name: tensorName, datatype: tensor.datatype, shape: tensor.shape.map(BigInt) },
    }),
    provenance: { numericsVersion, libraries, decisions: [...decisions] },
    key,
  });
}

function respond(
  answer: Uint8Array,
  from: keyof typeof cacheStates,
  stages: readonly Stage[],
): ProcessResponse {
  const response = fromBinary(ProcessResponseSchema, answer);
  response.cache = cacheStates[from];
  response.stages = stages.map(({ name, durationMs }) => create(StageTimeSchema, { name, durationMs }));
  return response;
}

const cacheStates = {
  computed: CacheState.MISS,
  shared: CacheState.SHARED,
  memory: CacheState.HIT_MEMORY,
  redis: CacheState.HIT_REDIS,
} as const;

const formatValues = {
  jpeg: ImageFormat.JPEG,
  png: ImageFormat.PNG,
  webp: ImageFormat.WEBP,
  avif: ImageFormat.AVIF,
  gif: ImageFormat.GIF,
  tiff: ImageFormat.TIFF,
  bmp: ImageFormat.BMP,
} as const satisfies Record<SourceFormat, ImageFormat>;
