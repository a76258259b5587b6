import type { ProcessRequest, ProcessVariantsRequest } from '../../gen/image/v1/processor_pb.ts';
import { Failure } from '../failures.ts';
import { jsonDepth } from '../grpc/messages/json-depth.ts';
import { maxDepth } from '../grpc/messages/message-limits.ts';
import { messageOverheadBytes } from '../grpc/transport.ts';
import { imageOptionNames } from '../options/image-options.ts';
import { joinLists, optionTexts, passwordName } from '../options/parse-options.ts';
import type { ApiConfig } from './config.ts';
import type { ApiContext } from './context.ts';
import { addPassword, passwordOf, takePasswords } from './document-password.ts';
import { withoutBom } from './form-parts.ts';
import type { Share } from './memory/held-bytes.ts';
import { parseForm } from './multipart.ts';
import { pagesAsVariants } from './page-variants.ts';
import { imageTooLong, readBody } from './request-body.ts';
import type { ImageSource, RequestPart } from './request-part.ts';
import { readOptions, requestWithOptions, variantsOption } from './variants.ts';

/** JSON and simple forms hold a URL and options; parsing megabytes of them would delay all other requests. */
const maxTextBodyBytes = 64 * 1024;

/** A request to the processor, and what only its HTTP response needs. */
interface ReadRequest {
  readonly message: ProcessRequest | ProcessVariantsRequest;
  /** Of the variants, in their order; undefined for one without a name. */
  readonly names: readonly (string | undefined)[];
}

/**
 * Turns an HTTP request into the processor's: the image from the body or `url`, the options from the
 * query and the body, and the defaults for the rest. With the option `variants`, or several pages, it is a request for
 * several outputs.
 *
 * @throws Failure SOURCE_MISSING, SOURCE_AMBIGUOUS, SOURCE_EMPTY, SOURCE_BYTES_OVER_LIMIT, OPTION_UNKNOWN,
 *   OPTION_INVALID, CONTENT_TYPE_UNSUPPORTED, MULTIPART_INVALID, JSON_INVALID, OVERLOADED, CANCELLED, DEADLINE_EXCEEDED
 */
export async function readRequest(
  c: ApiContext,
  config: ApiConfig,
  signal: AbortSignal,
  share: Share,
): Promise<ReadRequest> {
  const { searchParams } = new URL(c.req.url);
  for (const name of c.get('spentParameters') ?? []) searchParams.delete(name);
  const query = readQuery(searchParams);
  // A bad option in the query is refused before megabytes of body are read.
  const queryOptions = readOptions(query.options);
  const body = c.req.method === 'POST' ? await readPart(c, config.maxUploadBytes, signal, share) : emptyPart;
  const source = onlySource([...query.sources, ...body.sources]);
  const options = pagesAsVariants(readOptions(body.options, queryOptions));
  const message = requestWithOptions(source, options, config.defaults);
  addPassword(message, passwordOf(c, body.passwords ?? []));
  return {
    message,
    names: options.variants?.map(({ name }) => name) ?? [],
  };
}

/** `application/json`, `text/json` and `application/vnd.api+json`. */
const jsonType = /^(application|text)\/([\w.-]+\+)?json$/;

/** Content types that clients give to bytes of any kind; an empty one is among them. */
const bytesTypes: ReadonlySet<string> = new Set([
  '',
  'application/octet-stream',
  'application/binary',
  'application/force-download',
  'application/octetstream',
  'application/x-binary',
  'application/x-octet-stream',
  'binary/octet-stream',
  'octet/stream',
]);

/** Content types of documents (RFC 8118), and the older one that some programs still send. */
const documentTypes: ReadonlySet<string> = new Set(['application/pdf', 'application/x-pdf']);

const emptyPart: RequestPart = { sources: [], options: [] };

function readQuery(query: URLSearchParams): RequestPart {
  const pairs = [...query];
  return {
    sources: pairs.flatMap(([name, value]) =>
      name === 'url' && value !== '' ? [{ case: 'url' as const, value }] : [],
    ),
    options: joinLists(pairs.filter(([name]) => name !== 'url')),
  };
}

async function readPart(
  c: ApiContext,
  maxBytes: number,
  signal: AbortSignal,
  share: Share,
): Promise<RequestPart> {
  refuseContentEncoding(c.req.header('content-encoding'));
  const contentType = c.req.header('content-type') ?? '';
  const mediaType = mediaTypeOf(contentType);
  const imageBytes = (overheadBytes: number) =>
    readBody(c.env, maxBytes + overheadBytes, (bytes) => imageTooLong(bytes, maxBytes), signal, share);
  if (mediaType === 'multipart/form-data') {
    return parseForm(await imageBytes(messageOverheadBytes), contentType, maxBytes);
  }
  if (jsonType.test(mediaType)) {
    return parseJson(await readBody(c.env, maxTextBodyBytes, jsonTooLong, signal, share));
  }
  if (mediaType === 'text/plain' && Number(c.req.header('content-length')) <= maxTextBodyBytes) {
    const body = await readBody(c.env, maxTextBodyBytes, jsonTooLong, signal, share);
    if (isJsonObject(body)) return parseJson(body);
  }
  if (mediaType === 'application/x-www-form-urlencoded') {
    return parseFormOrBytes(await imageBytes(0), mediaType);
  }
  if (bytesTypes.has(mediaType) || mediaType.startsWith('image/') || documentTypes.has(mediaType)) {
    return parseBytes(await imageBytes(0), mediaType);
  }
  throw new Failure(
    'CONTENT_TYPE_UNSUPPORTED',
    `The Content-Type is ${mediaType.slice(0, 100)}; send multipart/form-data, application/json, or the image itself as image/…, application/pdf or application/octet-stream.`,
    {
      actual: mediaType.slice(0, 100),
      allowed: 'multipart/form-data, application/json, image/*, application/pdf, application/octet-stream',
    },
  );
}

/** A content type without its parameters. */
export function mediaTypeOf(contentType: string): string {
  return contentType.replace(/;.*/s, '').trim().toLowerCase();
}

/** @throws Failure CONTENT_TYPE_UNSUPPORTED for a body that is compressed */
export function refuseContentEncoding(encoding: string | undefined): void {
  if (encoding === undefined || encoding.toLowerCase() === 'identity') return;
  throw new Failure(
    'CONTENT_TYPE_UNSUPPORTED',
    `The Content-Encoding is ${encoding.slice(0, 100)}; send the body as it is.`,
    { actual: encoding.slice(0, 100), allowed: 'identity' },
  );
}

/** An image as the whole body. An empty body without a type is no image; an empty body with a type is an empty file. */
function parseBytes(body: Buffer, mediaType: string): RequestPart {
  if (body.length === 0 && mediaType === '') return emptyPart;
  return { sources: [{ case: 'content', value: body }], options: [] };
}

/** Whether a body of another type is JSON, which .NET's StringContent calls plain text, and curl and PowerShell a form. */
function isJsonObject(body: Buffer): boolean {
  return body.length <= maxTextBodyBytes && /^\s*\{\s*["}]/.test(body.toString('utf8', 0, 100));
}

/**
 * `curl --data-binary @photo.jpg` declares every body as a form, so the bytes decide: no image consists
 * only of a form's characters and begins with the name of one of our fields.
 */
function parseFormOrBytes(body: Buffer, mediaType: string): RequestPart {
  if (isJsonObject(body)) return parseJson(body);
  const text = body.length <= maxTextBodyBytes ? body.toString('latin1') : '';
  const [, firstName] = /^(\w+)=[\x21-\x7e]*$/.exec(text) ?? [];
  const names = [...imageOptionNames, variantsOption, passwordName, 'url'];
  if (!names.some((name) => name === firstName)) return parseBytes(body, mediaType);
  const { sources, options } = readQuery(new URLSearchParams(text));
  return { sources, ...takePasswords(options) };
}

/** `{"url": "https://…", "width": 300}`: options stand beside the URL. */
function parseJson(body: Buffer): RequestPart {
  let parsed: unknown;
  const text = withoutBom(body.toString('utf8'));
  if (jsonDepth(text) > maxDepth) throw jsonTooDeep(jsonDepth(text));
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw new Failure('JSON_INVALID', 'The body is not JSON; send {"url": "https://…"}.', {}, { cause });
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw new Failure('JSON_INVALID', 'The body is not a JSON object; send {"url": "https://…"}.');
  }
  const { url, [variantsOption]: variants, ...others } = parsed as Record<string, unknown>;
  if (url !== undefined && typeof url !== 'string') {
    throw new Failure('JSON_INVALID', '"url" is not a string; send {"url": "https://…"}.', {
      option: 'url',
    });
  }
  const { passwords, options } = takePasswords(optionTexts(others));
  return {
    sources: url ? [{ case: 'url', value: url }] : [],
    passwords,
    options: [
      ...options,
      ...(variants === undefined ? [] : [[variantsOption, JSON.stringify(variants)] as const]),
    ],
  };
}

function jsonTooDeep(depth: number): Failure {
  return new Failure(
    'JSON_INVALID',
    `The body nests objects and arrays ${depth} deep; the limit is ${maxDepth}.`,
    { limit: maxDepth, actual: depth },
  );
}

function jsonTooLong(bytes: number): Failure {
  return new Failure(
    'SOURCE_BYTES_OVER_LIMIT',
    `The JSON body has ${bytes} bytes or more; at most ${maxTextBodyBytes} are taken. Send the image itself as multipart/form-data or as the body.`,
    { limit: maxTextBodyBytes, actual: bytes },
  );
}

function onlySource(sources: readonly ImageSource[]): ImageSource {
  const [source, another] = sources;
  if (source === undefined) {
    throw new Failure(
      'SOURCE_MISSING',
      'There is no image: send its bytes as the body or in the form field "image", or name its address in "url".',
      { allowed: 'image, url' },
    );
  }
  if (another !== undefined) {
    const given = sources
      .slice(0, 5)
      .map((one) => (one.case === 'url' ? 'url' : 'image'))
      .join(', ');
    throw new Failure(
      'SOURCE_AMBIGUOUS',
      `The image is given ${sources.length} times (${given}); give one.`,
      {
        actual: given,
        limit: 1,
      },
    );
  }
  return withBytes(source);
}

/** @throws Failure SOURCE_EMPTY */
export function withBytes(source: ImageSource): ImageSource {
  if (source.case === 'content' && source.value.length === 0) {
    throw new Failure('SOURCE_EMPTY', 'The image has 0 bytes; is the file empty?', { actual: 0 });
  }
  return source;
}
