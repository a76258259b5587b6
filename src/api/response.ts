import { CacheState, ImageFormatSchema, type ProcessResponse } from '../../gen/image/v1/processor_pb.ts';
import type { ApiContext } from './context.ts';

/** How long the API's own parts of a request took, in milliseconds. */
export interface ApiTimes {
  /** Reading and parsing the request. */
  readonly read: number;
  /** Everything. */
  readonly total: number;
}

/** The headers of an answer, besides the ordinary ones, and what they say. */
export const answerHeaders = {
  ETag: 'Names these very bytes: equal tags are equal answers',
  'Cache-Status':
    "Whether the answer was in the processor's cache (RFC 9211): hit with detail=memory or redis, fwd=miss, or fwd=miss and collapsed when it was made once for several callers",
  'Server-Timing':
    "Milliseconds: the processor's stages in their order, then read (the request), rpc (the call of the processor) and total",
  'Content-Disposition': 'inline, with a file name of the right ending',
  'Image-Width': 'Width of the answer in pixels',
  'Image-Height': 'Height of the answer in pixels',
  'Image-Source':
    'What came in: its format, told from the bytes, with width and height as stored, bytes and sha256',
  'Image-Numerics': 'Version of the arithmetic: grows whenever the same request may give other bytes',
  'Image-Decisions': 'What was decided about the source, a list of "subject=decision"',
  'Image-Libraries': 'Versions of the libraries that decoded and encoded',
  'Tensor-Datatype': 'UINT8, FP16, FP32 or BF16',
  'Tensor-Shape': 'Four axes in the order of the layout',
} as const;

/**
 * Turns the processor's answer into HTTP. The `Image-` and `Tensor-` headers are structured fields
 * (RFC 9651): what came in, what came out, and what was decided on the way.
 */
export function writeResponse(c: ApiContext, response: ProcessResponse, times: ApiTimes): Response {
  const etag = `"${response.key}"`;
  c.header('ETag', etag);
  c.header('Cache-Status', cacheStatus(response.cache));
  c.header('Server-Timing', serverTiming(response, times));
  // A URL's image may change at any time: caches may keep the answer and have to ask whether it holds.
  const isGet = c.req.method === 'GET' || c.req.method === 'HEAD';
  c.header('Cache-Control', isGet ? 'public, no-cache' : 'no-store');
  if (isGet && matches(c.req.header('if-none-match'), etag)) return c.body(null, 304);

  c.header('Content-Type', response.contentType);
  c.header('Content-Length', String(response.content.length));
  c.header('Content-Disposition', `inline; filename="image.${extensionOf(response.contentType)}"`);
  c.header('Image-Width', String(response.width));
  c.header('Image-Height', String(response.height));
  writeProvenance(c, response);
  if (response.tensor !== undefined) {
    c.header('Tensor-Datatype', response.tensor.datatype);
    c.header('Tensor-Shape', response.tensor.shape.join(', '));
  }
  return c.body(response.content as Uint8Array<ArrayBuffer>);
}

function writeProvenance(c: ApiContext, { source, provenance }: ProcessResponse): void {
  if (source !== undefined) {
    const format = ImageFormatSchema.value[source.format]?.localName.toLowerCase() ?? 'unspecified';
    c.header(
      'Image-Source',
      `${format};width=${source.width};height=${source.height};bytes=${source.bytes};sha256=${quoted(source.sha256)}`,
    );
  }
  if (provenance !== undefined) {
    c.header('Image-Numerics', quoted(provenance.numericsVersion));
    if (provenance.decisions.length > 0) {
      c.header('Image-Decisions', provenance.decisions.map(quoted).join(', '));
    }
    const libraries = Object.entries(provenance.libraries);
    if (libraries.length > 0) {
      c.header(
        'Image-Libraries',
        libraries.map(([name, version]) => `${name.toLowerCase()}=${quoted(version)}`).join(', '),
      );
    }
  }
}

/** RFC 9211. Whether a miss was then stored the processor does not tell, so neither is it told here. */
function cacheStatus(state: CacheState): string {
  switch (state) {
    case CacheState.HIT_MEMORY:
      return 'image-processor; hit; detail=memory';
    case CacheState.HIT_REDIS:
      return 'image-processor; hit; detail=redis';
    case CacheState.SHARED:
      return 'image-processor; fwd=miss; collapsed';
    default:
      return 'image-processor; fwd=miss';
  }
}

/** The processor's stages, then `read` (the request), `rpc` (the call of the processor) and `total`. */
function serverTiming({ stages }: ProcessResponse, { read, total }: ApiTimes): string {
  const times = [
    ...stages.map(({ name, durationMs }): [string, number] => [name, durationMs]),
    ['read', read] as const,
    ['rpc', total - read] as const,
    ['total', total] as const,
  ];
  return times.map(([name, ms]) => `${name};dur=${ms.toFixed(2)}`).join(', ');
}

/** Whether an If-None-Match names the entity tag; its comparison is the weak one (RFC 9110, 13.1.2). */
function matches(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  return ifNoneMatch
    .split(',')
    .map((tag) => tag.trim().replace(/^W\//, ''))
    .some((tag) => tag === '*' || tag === etag);
}

const extensions: Readonly<Record<string, string>> = {
  'image/jpeg': 'jpg',
  'image/png': 'png',
  'image/webp': 'webp',
  'application/x-npy': 'npy',
  'application/vnd.safetensors': 'safetensors',
};

function extensionOf(contentType: string): string {
  return extensions[contentType] ?? 'bin';
}

/** A string of RFC 9651, which has printable ASCII alone. */
function quoted(text: string): string {
  return `"${text.replace(/[^\x20-\x7e]/g, '?').replace(/["\\]/g, '\\$&')}"`;
}
