import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import {
  CacheState,
  ImageFormat,
  type ProcessRequest,
  type ProcessResponse,
  ProcessResponseSchema,
  StageTimeSchema,
} from '../../gen/image/v1/processor_pb.ts';
import type { Admission } from './admission.ts';
import { cacheKey } from './cache/cache-key.ts';
import type { ResultCache } from './cache/result-cache.ts';
import { type ImageHeader, readHeader } from './image/header.ts';
import type { Plan, SourceFormat } from './image/plan.ts';
import { libraries, numericsVersion } from './image/provenance.ts';
import { tensorName } from './image/tensor-container.ts';
import type { PixelResult } from './image/worker.ts';
import type { WorkerPool } from './image/worker-pool.ts';
import type { Presets } from './presets/presets.ts';
import { planOf } from './rules.ts';
import type { SourceReader } from './source/read-source.ts';
import { createStopwatch, type Stopwatch } from './stopwatch.ts';

/** What an image's way leads through. */
export interface ImageProcessing {
  readonly sources: SourceReader;
  readonly cache: ResultCache;
  /** Bounds the bytes that downloads hold. */
  readonly downloads: Admission;
  /** Bounds the images in the workers. */
  readonly admission: Admission;
  readonly workers: WorkerPool;
  readonly presets: Presets;
  readonly limits: { readonly maxSourcePixels: number; readonly maxOutputPixels: number };
}

/** rules → source → cache key → cache → (admission → pixels) → response */
export async function processImage(
  request: ProcessRequest,
  processing: ImageProcessing,
  signal: AbortSignal,
): Promise<ProcessResponse> {
  const { sources, cache, downloads, presets, limits } = processing;
  const stopwatch = createStopwatch();
  const plan = planOf(request, limits.maxOutputPixels, presets);
  const keyOf = (sha256: string): string => cacheKey(sha256, plan);
  const read = () => sources.read(request.source, (sha256) => cache.get(keyOf(sha256)), signal);
  const source =
    request.source.case === 'url'
      ? await stopwatch.time('download', () => downloads.run(read, signal))
      : await stopwatch.time('hash', read);
  if ('answer' in source) return respond(source.answer.value, source.answer.tier, stopwatch);
  const { value, from } = await cache.getOrCompute(keyOf(source.sha256), signal, (shared) =>
    makeAnswer(source, plan, processing, stopwatch, shared),
  );
  return respond(value, from, stopwatch);
}

/** header → admission → pixels, and the answer as it is cached: without what only this call knows. */
async function makeAnswer(
  source: { readonly sha256: string; readonly content: Uint8Array },
  plan: Plan,
  { admission, workers, limits }: ImageProcessing,
  stopwatch: Stopwatch,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const { sha256, content } = source;
  const header = await stopwatch.time('header', () => readHeader(content, limits.maxSourcePixels));
  const queued = performance.now();
  const result = await admission.run(() => {
    stopwatch.stages.push({ name: 'queue', durationMs: performance.now() - queued });
    return workers.run({ content, header, plan, maxOutputPixels: limits.maxOutputPixels });
  }, signal);
  stopwatch.stages.push(...result.stages);
  return toBinary(
    ProcessResponseSchema,
    answerOf(result, header, sha256, content.length, cacheKey(sha256, plan)),
  );
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

function respond(answer: Uint8Array, from: keyof typeof cacheStates, { stages }: Stopwatch): ProcessResponse {
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
} as const satisfies Record<SourceFormat, ImageFormat>;
