import type { ProcessRequest, ProcessResponse, StoreOptions } from '../../gen/image/v1/processor_pb.ts';
import { release } from '../own-bytes.ts';
import type { Admission } from './admission/admission.ts';
import { cacheKey } from './cache/cache-key.ts';
import type { Computed, ResultCache } from './cache/result-cache.ts';
import { type Call, type Caller, startCall } from './call.ts';
import { geometryOf, maxBytesOf } from './image/geometry.ts';
import { withinLimits } from './image/limits.ts';
import type { Plan } from './image/plan.ts';
import { priceOf } from './image/price.ts';
import { continueWith, mapResults, type Outcome, outcomeOf, resultOf, resultsOf } from './outcome.ts';
import { ofEachPart } from './parts.ts';
import type { Presets } from './presets/presets.ts';
import { countResponses, respond, storedResponse } from './respond.ts';
import { planOf } from './rules/rules.ts';
import { refuseStore, type Sink, type StoredSource } from './sink/sink.ts';
import type { SourceReader, WantedSource } from './source/read-source.ts';
import type { Stage } from './stopwatch.ts';
import type { WorkerPool } from './workers/pool.ts';

/** The parts of image-processor that an image passes through. */
export interface ImageProcessing {
  readonly sources: SourceReader;
  readonly cache: ResultCache<readonly Stage[]>;
  /** Bounds the pictures in the workers. */
  readonly admission: Admission;
  /** Bounds the documents in theirs, so that a picture never waits for a page. */
  readonly documents: Admission;
  readonly workers: WorkerPool;
  readonly presets: Presets;
  /** Keeps responses; undefined for none. */
  readonly sink?: Sink | undefined;
  readonly limits: {
    readonly maxSourceBytes: number;
    readonly maxSourcePixels: number;
    readonly maxOutputPixels: number;
  };
}

/** rules → processPlans: one image, one response. */
export async function processImage(
  request: ProcessRequest,
  processing: ImageProcessing,
  caller: Caller,
): Promise<ProcessResponse> {
  const plan = planOf(request, processing.limits.maxOutputPixels, processing.presets);
  const [outcome] = await processPlans(wantedSource(request), [plan], processing, caller, [request.store]);
  return resultOf(outcome as Outcome<ProcessResponse>);
}

/**
 * source → key → cache → (make) → respond → (keep): one image, a response for each plan.
 *
 * @param stores - for each plan, whether its response is kept
 */
export async function processPlans(
  source: WantedSource,
  plans: readonly Plan[],
  processing: ImageProcessing,
  caller: Caller,
  stores: readonly (StoreOptions | undefined)[],
): Promise<readonly Outcome<ProcessResponse>[]> {
  const { signal } = caller;
  const { sink } = processing;
  if (sink === undefined) stores.forEach(refuseStore);
  using call = startCall(caller);
  const image = await readImage(source, plans, processing, call, caller);
  const found =
    'known' in image
      ? image.known.map((result) => ({ result }))
      : await processing.cache.getOrCompute(image.keyed, signal, (missing, shared) =>
          makeParts(image, missing, plans, processing, call, { ...caller, signal: shared }),
        );
  const responses = mapResults(found, (result) => respond(result, call.stages));
  countResponses(responses, call.memory);
  if (sink === undefined) return responses;
  const content = 'content' in image ? { sha256: image.sha256, content: image.content } : undefined;
  return await keepAll(responses, sink, stores, content, signal);
}

/** Has the responses kept; one that waits for it without success becomes a failure. */
async function keepAll(
  responses: readonly Outcome<ProcessResponse>[],
  sink: Sink,
  stores: readonly (StoreOptions | undefined)[],
  source: StoredSource | undefined,
  signal: AbortSignal,
): Promise<readonly Outcome<ProcessResponse>[]> {
  const kept = responses.map(async (outcome, index) => {
    if ('error' in outcome) return outcome;
    return { result: await sink.keep(outcome.result, stores[index], source, signal) };
  });
  const settled = await Promise.allSettled(kept);
  return settled.map((one) => (one.status === 'fulfilled' ? one.value : { error: one.reason as unknown }));
}

/** source → key: the image of a request with the key of each plan, or the cached responses where they are enough. */
export async function readImage(
  source: WantedSource,
  plans: readonly Plan[],
  { sources, cache, workers }: ImageProcessing,
  call: Call,
  { name, mustRevalidate, signal }: Caller,
) {
  const keyed = (sha256: string) =>
    plans.map((plan) => ({ plan, key: cacheKey(sha256, plan, workers.libraries) }));
  const read = await call.read(source, () =>
    sources.read(
      { ...source, mustRevalidate, caller: name },
      (sha256) => cache.getAll(keyed(sha256)),
      signal,
    ),
  );
  return 'known' in read ? read : { ...read, keyed: keyed(read.sha256) };
}

/** The source of a request, with the conditions on its use. */
export function wantedSource({
  source,
  honourOptOuts,
}: Pick<ProcessRequest, 'source' | 'honourOptOuts'>): WantedSource {
  return honourOptOuts ? { ...source, honourOptOuts } : source;
}

/** A source whose bytes are known. */
interface ReadSource {
  readonly sha256: string;
  readonly content: Uint8Array;
}

/** A plan with the key of its response. */
interface KeyedPlan {
  readonly plan: Plan;
  readonly key: string;
}

type Made = readonly Outcome<Computed<readonly Stage[]>>[];

/** The bounds of the workers that process a source. */
export function admissionFor(
  content: Uint8Array,
  { admission, documents, workers }: Pick<ImageProcessing, 'admission' | 'documents' | 'workers'>,
): Admission {
  return workers.isDocument(content) ? documents : admission;
}

/** Calls `make` for each part of the source that the plans read: one, or several pages of a document. */
async function makeParts(
  image: ReadSource,
  missing: readonly KeyedPlan[],
  all: readonly Plan[],
  processing: ImageProcessing,
  call: Call,
  caller: Caller,
): Promise<Made> {
  const admission = admissionFor(image.content, processing);
  admission.checkRoom(image.content.length);
  const bounded = { ...processing, admission };
  return await ofEachPart(
    missing,
    ({ plan }) => plan.source,
    (part, isOnly) => make(image, part, isOnly ? all : part.map(({ plan }) => plan), bounded, call, caller),
  );
}

/**
 * header → geometry → price → admission → make: the values of one part of the source that are not in the cache.
 *
 * @param processing.admission - that of the source: see `admissionFor`
 */
async function make(
  { sha256, content }: ReadSource,
  missing: readonly KeyedPlan[],
  all: readonly Plan[],
  { admission, workers, limits }: Pick<ImageProcessing, 'admission' | 'workers' | 'limits'>,
  call: Call,
  { signal, remainingMs = () => Number.POSITIVE_INFINITY }: Caller,
): Promise<Made> {
  const header = await call.readHeader(() =>
    workers.readHeader(content, limits.maxSourcePixels, signal, missing[0]?.plan.source),
  );
  const planned = missing.map((item) => ({ ...item, geometry: geometryOf(header, item.plan) }));
  call.memory.checkResponse(maxBytesOf(all.map((plan) => geometryOf(header, plan))));
  call.memory.checkRoom(maxBytesOf(planned.map(({ geometry }) => geometry)));
  const allowed = planned.map((image) => outcomeOf(() => withinLimits(image, limits.maxOutputPixels)));
  return await continueWith(allowed, async (images) => {
    const price = priceOf(header, content.length, images);
    const job = call.workerJob(
      maxBytesOf(images.map(({ geometry }) => geometry)),
      () => workers.run({ content, header, images }, signal),
      (outcomes) => resultsOf(outcomes).flatMap(({ stages }) => stages),
    );
    const results = await admission.run(job, signal, price, remainingMs());
    const source = { header, sha256, bytes: content.length, libraries: workers.libraries };
    return mapResults(results, (result, index) => {
      const { key, plan } = images[index] as (typeof images)[number];
      const value = storedResponse(result, source, key, plan);
      // The value has a copy.
      release(result.content);
      return { value, report: result.stages };
    });
  });
}
