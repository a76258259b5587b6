import type { ProcessRequest, ProcessResponse } from '../../gen/image/v1/processor_pb.ts';
import type { Admission } from './admission/admission.ts';
import { cacheKey } from './cache/cache-key.ts';
import type { Computed, ResultCache } from './cache/result-cache.ts';
import { type Call, type Caller, startCall } from './call.ts';
import { geometryOf, maxBytesOf } from './image/geometry.ts';
import { withinLimits } from './image/limits.ts';
import type { Plan } from './image/plan.ts';
import { priceOf } from './image/price.ts';
import { continueWith, mapResults, type Outcome, outcomeOf, resultOf, resultsOf } from './outcome.ts';
import type { Presets } from './presets/presets.ts';
import { countResponses, respond, storedResponse } from './respond.ts';
import { planOf } from './rules/rules.ts';
import type { SourceReader, WantedSource } from './source/read-source.ts';
import type { Stage } from './stopwatch.ts';
import type { WorkerPool } from './workers/pool.ts';

/** The parts of image-processor that an image passes through. */
export interface ImageProcessing {
  readonly sources: SourceReader;
  readonly cache: ResultCache<readonly Stage[]>;
  /** Bounds the images in the workers. */
  readonly admission: Admission;
  readonly workers: WorkerPool;
  readonly presets: Presets;
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
  const [outcome] = await processPlans(wantedSource(request), [plan], processing, caller);
  return resultOf(outcome as Outcome<ProcessResponse>);
}

/** source → key → cache → (make) → respond: one image, a response for each plan. */
export async function processPlans(
  source: WantedSource,
  plans: readonly Plan[],
  processing: ImageProcessing,
  caller: Caller,
): Promise<readonly Outcome<ProcessResponse>[]> {
  const { signal } = caller;
  using call = startCall(caller);
  const image = await readImage(source, plans, processing, call, caller);
  const found =
    'known' in image
      ? image.known.map((result) => ({ result }))
      : await processing.cache.getOrCompute(image.keyed, signal, (missing, shared) =>
          make(image, missing, plans, processing, call, { ...caller, signal: shared }),
        );
  const responses = mapResults(found, (result) => respond(result, call.stages));
  countResponses(responses, call.memory);
  return responses;
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
export function wantedSource({ source, honourOptOuts }: ProcessRequest): WantedSource {
  return honourOptOuts ? { ...source, honourOptOuts } : source;
}

/** The part of the source that is read. rules/source-plan.ts allows the same one in all plans of a call so far. */
export function sourceOf([plan]: readonly Plan[]): Plan['source'] {
  return plan?.source;
}

/** header → geometry → price → admission → make: the values that are not in the cache. */
async function make(
  { sha256, content }: { readonly sha256: string; readonly content: Uint8Array },
  missing: readonly { readonly plan: Plan; readonly key: string }[],
  all: readonly Plan[],
  { admission, workers, limits }: ImageProcessing,
  call: Call,
  { signal, remainingMs = () => Number.POSITIVE_INFINITY }: Caller,
): Promise<readonly Outcome<Computed<readonly Stage[]>>[]> {
  admission.checkRoom(content.length);
  const header = await call.readHeader(() =>
    workers.readHeader(content, limits.maxSourcePixels, signal, sourceOf(all)),
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
      return { value: storedResponse(result, source, key, plan), report: result.stages };
    });
  });
}
