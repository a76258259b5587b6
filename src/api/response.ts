import { hash } from 'node:crypto';
import { CacheState, ImageFormat, type ProcessResponse } from '../../gen/image/v1/processor_pb.ts';
import { extensionOf } from '../file-extension.ts';
import { lengthOf } from '../grpc/messages/written-message.ts';
import { formatName } from '../options/contract-words.ts';
import type { ApiContext } from './context.ts';
import { matches } from './entity-tag.ts';
import type { Share } from './memory/held-bytes.ts';
import { negotiate } from './negotiate.ts';
import { multipartBody, partDisposition, variantsTypes } from './variant-parts.ts';

/** How long the API's own parts of a request took, in milliseconds. */
export interface ApiTimes {
  /** Reading and parsing the request. */
  readonly read: number;
  /** The whole request. */
  readonly total: number;
}

/** The headers of a response, besides the common ones, and their meanings. */
export const responseHeaders = {
  ETag: 'Identifies the bytes: equal tags mean equal responses',
  'Cache-Status':
    "Whether the response was in the processor's cache (RFC 9211): hit with detail=memory, redis or store, fwd=miss, or fwd=miss and collapsed when it was computed once for several callers",
  'Server-Timing':
    "Milliseconds: the processor's stages in their order, then read (the request), rpc (the call of the processor) and total",
  'Content-Disposition': 'inline, with a file name whose extension matches the content',
  'Image-Width': 'Width of the processed image in pixels, before it is cut into tiles or patches',
  'Image-Height': 'Height of the processed image in pixels, before it is cut into tiles or patches',
  'Image-Source':
    'The source: its format, detected from the bytes, width and height as stored, bytes and sha256',
  'Image-Numerics': 'Version of the arithmetic: increases whenever the same request may give other bytes',
  'Image-Decisions': 'Decisions about the source, a list of "subject=decision"',
  'Image-Libraries': 'Versions of the libraries that decoded and encoded',
  'Image-Stored':
    'Where the response is kept in object storage: with store=wait it is there, otherwise it is there or queued for it',
  'Image-Stored-Link': 'A URL of the kept response for the seconds of store_link; no credentials are needed',
  'Tensor-Datatype': 'UINT8, FP16, FP32 or BF16. Sent if the response contains exactly one tensor',
  'Tensor-Shape':
    'The length of each axis: four, in the order of the layout. Sent if the response contains exactly one tensor',
} as const;

/**
 * Turns the processor's response into HTTP. The `Image-` and `Tensor-` headers are structured fields
 * (RFC 9651): they describe the source, the output and the decisions.
 */
export function writeResponse(
  c: ApiContext,
  share: Share,
  response: ProcessResponse,
  times: ApiTimes,
): Response {
  const headers = responseHeadersOf(response, timesOf(times));
  return write(c, share, headers, `"${response.key}"`, [response.content]);
}

/**
 * Several responses for one image, in the order of the request, each with the headers that it would have by itself: as
 * multipart/mixed, or as multipart/form-data where `Accept` prefers it.
 *
 * @param names - of the variants; undefined for one without a name
 */
export function writeVariants(
  c: ApiContext,
  share: Share,
  responses: readonly ProcessResponse[],
  names: readonly (string | undefined)[],
  times: ApiTimes,
): Response {
  const type = negotiate(c, variantsTypes);
  const parts = responses.map((response, index) => ({
    headers: {
      ...responseHeadersOf(response, []),
      'Content-Disposition': partDisposition(type, names[index], index, extensionOf(response.contentType)),
    },
    content: response.content,
  }));
  const { contentType, body } = multipartBody(type, parts);
  const identity = [type, ...responses.map(({ key }, index) => `${key} ${names[index] ?? ''}`)];
  const etag = `"${hash('sha256', identity.join())}"`;
  const headers = {
    ETag: etag,
    'Server-Timing': serverTiming(timesOf(times)),
    'Content-Type': contentType,
    'Content-Length': String(lengthOf(body)),
  };
  return write(c, share, headers, etag, body);
}

/** JSON that caches may keep as they keep the response to an image; its entity tag is its hash. */
export function writeJson(c: ApiContext, share: Share, value: unknown): Response {
  const body = Buffer.from(JSON.stringify(value));
  const etag = `"${hash('sha256', body)}"`;
  const headers = { ETag: etag, 'Content-Type': 'application/json', 'Content-Length': String(body.length) };
  return write(c, share, headers, etag, [body]);
}

/** The headers of this response, not of the stored one that it confirms. */
const sentWith304: ReadonlySet<string> = new Set([
  'ETag',
  'Cache-Status',
  'Server-Timing',
  'Image-Stored',
  'Image-Stored-Link',
]);

function write(
  c: ApiContext,
  share: Share,
  headers: Readonly<Record<string, string>>,
  etag: string,
  body: readonly Uint8Array[],
): Response {
  const isGet = c.req.method === 'GET' || c.req.method === 'HEAD';
  c.header('Cache-Control', isGet ? cachingOf(c) : 'no-store');
  const isKnown = isGet && matches(c.req.header('if-none-match'), etag);
  for (const [name, value] of Object.entries(headers)) {
    if (!isKnown || sentWith304.has(name)) c.header(name, value);
  }
  share.responds(lengthOf(body));
  return isKnown ? c.body(null, 304) : c.body(share.sends(body));
}

/**
 * How caches may keep the response to a GET. A URL's image may change at any time, so they have to ask whether it is
 * still the same. The response to an API key is for its caller only. A signed link is for everybody who has it: caches
 * may keep its response without asking, but not beyond its expiry. The response to a password is never kept.
 */
function cachingOf(c: ApiContext): string {
  if (c.get('isConfidential')) return 'no-store';
  const maxAgeSeconds = c.get('maxAgeSeconds');
  if (maxAgeSeconds !== undefined) return `public, max-age=${maxAgeSeconds}`;
  return c.get('caller') === undefined ? 'public, no-cache' : 'private, no-cache';
}

type Times = readonly (readonly [name: string, ms: number])[];

function timesOf({ read, total }: ApiTimes): Times {
  return [
    ['read', read],
    ['rpc', total - read],
    ['total', total],
  ];
}

/** The headers of one response. `times` follow the processor's own. */
function responseHeadersOf(response: ProcessResponse, times: Times): Readonly<Record<string, string>> {
  const { key, cache, stages, contentType, content, width, height, tensors } = response;
  const [tensor, ...others] = tensors;
  return {
    ETag: `"${key}"`,
    'Cache-Status': cacheStatus(cache),
    'Server-Timing': serverTiming([
      ...stages.map(({ name, durationMs }) => [name, durationMs] as const),
      ...times,
    ]),
    'Content-Type': contentType,
    'Content-Length': String(content.length),
    ...inferenceHeader(response),
    'Content-Disposition': `inline; filename="image.${extensionOf(contentType)}"`,
    'Image-Width': String(width),
    'Image-Height': String(height),
    ...provenanceHeaders(response),
    ...(response.storedUri !== '' && { 'Image-Stored': quoted(response.storedUri) }),
    ...(response.storedLink !== '' && { 'Image-Stored-Link': quoted(response.storedLink) }),
    ...(tensor &&
      others.length === 0 && { 'Tensor-Datatype': tensor.datatype, 'Tensor-Shape': tensor.shape.join(', ') }),
  };
}

/** The length of the JSON before the values, for a body of the Open Inference Protocol; raw values have none. */
function inferenceHeader({ contentType, content, tensors }: ProcessResponse) {
  const bytes = tensors.reduce((sum, tensor) => sum + Number(tensor.bytes), 0);
  const isInference = contentType === 'application/octet-stream' && content.length > bytes;
  return isInference ? { 'Inference-Header-Content-Length': String(content.length - bytes) } : {};
}

function provenanceHeaders({ source, provenance }: ProcessResponse): Readonly<Record<string, string>> {
  const format = formatName(source?.format ?? ImageFormat.UNSPECIFIED);
  const decisions = provenance?.decisions ?? [];
  const libraries = Object.entries(provenance?.libraries ?? {});
  return {
    ...(source && {
      'Image-Source': `${format};width=${source.width};height=${source.height};bytes=${source.bytes};sha256=${quoted(source.sha256)}`,
    }),
    ...(provenance && { 'Image-Numerics': quoted(provenance.numericsVersion) }),
    ...(decisions.length > 0 && { 'Image-Decisions': decisions.map(quoted).join(', ') }),
    ...(libraries.length > 0 && {
      'Image-Libraries': libraries
        .map(([name, version]) => `${name.toLowerCase()}=${quoted(version)}`)
        .join(', '),
    }),
  };
}

/** RFC 9211. Without `stored`, because the processor does not report whether it stored a miss. */
function cacheStatus(state: CacheState): string {
  switch (state) {
    case CacheState.HIT_MEMORY:
      return 'image-processor; hit; detail=memory';
    case CacheState.HIT_REDIS:
      return 'image-processor; hit; detail=redis';
    case CacheState.HIT_STORE:
      return 'image-processor; hit; detail=store';
    case CacheState.SHARED:
      return 'image-processor; fwd=miss; collapsed';
    default:
      return 'image-processor; fwd=miss';
  }
}

/** In milliseconds, as the W3C's Server Timing has them. */
function serverTiming(times: Times): string {
  return times.map(([name, ms]) => `${name};dur=${ms.toFixed(2)}`).join(', ');
}

/** A string of RFC 9651, which allows only printable ASCII. */
function quoted(text: string): string {
  return `"${text.replace(/[^\x20-\x7e]/g, '?').replace(/["\\]/g, '\\$&')}"`;
}
