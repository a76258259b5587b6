import { ClientError } from './client-error.ts';

/** An image or tensor, with the response headers that describe it. */
export interface ImageResponse {
  readonly content: Uint8Array;
  readonly contentType: string;
  readonly headers: Headers;
}

/** The bytes of an image, or its address. */
type Source = Uint8Array<ArrayBuffer> | { readonly url: string };

/**
 * Sends one image, or the URL of one, to image-api.
 *
 * @param options - by their names in the API's query
 * @param apiKey - for an image-api that requires one
 * @param password - of an encrypted document
 * @throws ClientError for every response that is not an image or a tensor
 */
export async function send(
  api: URL,
  source: Source,
  options: Readonly<Record<string, string>>,
  timeoutMs: number,
  signal: AbortSignal,
  apiKey?: string,
  password?: string,
): Promise<ImageResponse> {
  const types = /^image\/|^application\/(octet-stream|json|x-npy|x-npz|vnd\.safetensors)$/;
  return await post('/v1/images', types, api, source, options, timeoutMs, signal, apiKey, password);
}

/**
 * Asks image-api to describe its response to one image.
 *
 * @param options - by their names in the API's query
 * @returns the response's JSON
 * @throws ClientError
 */
export async function describe(
  api: URL,
  source: Source,
  options: Readonly<Record<string, string>>,
  timeoutMs: number,
  signal: AbortSignal,
  apiKey?: string,
  password?: string,
): Promise<unknown> {
  const type = /^application\/json$/;
  const rest = [options, timeoutMs, signal, apiKey, password] as const;
  const { content } = await post('/v1/describe', type, api, source, ...rest);
  return JSON.parse(Buffer.from(content).toString());
}

/**
 * Gets JSON from image-api.
 *
 * @throws ClientError
 */
export async function getJson(
  path: string,
  query: Readonly<Record<string, string>>,
  api: URL,
  timeoutMs: number,
  signal: AbortSignal,
  apiKey?: string,
): Promise<unknown> {
  const type = /^application\/json$/;
  const { content } = await request(path, { method: 'GET' }, type, api, query, timeoutMs, signal, apiKey);
  return JSON.parse(Buffer.from(content).toString());
}

function post(
  path: string,
  types: RegExp,
  api: URL,
  source: Source,
  ...rest: RequestRest
): Promise<ImageResponse> {
  const init =
    source instanceof Uint8Array
      ? { body: source, headers: { 'content-type': 'application/octet-stream' } }
      : { body: JSON.stringify(source), headers: { 'content-type': 'application/json' } };
  return request(path, { method: 'POST', ...init }, types, api, ...rest);
}

type RequestRest = [
  query: Readonly<Record<string, string>>,
  timeoutMs: number,
  signal: AbortSignal,
  apiKey?: string | undefined,
  password?: string | undefined,
];

async function request(
  path: string,
  init: RequestInit,
  types: RegExp,
  api: URL,
  ...[query, timeoutMs, signal, apiKey, password]: RequestRest
): Promise<ImageResponse> {
  const target = new URL(`${api.href.replace(/\/+$/, '')}${path}`);
  target.search = new URLSearchParams(query).toString();
  const key = apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` };
  // The bytes of UTF-8: fetch writes a header's characters as bytes.
  const opened =
    password === undefined ? {} : { 'x-document-password': Buffer.from(password).toString('latin1') };
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(target, {
      ...init,
      headers: { ...init.headers, ...key, ...opened } as Record<string, string>,
      redirect: 'manual',
      signal: AbortSignal.any([signal, timeout]),
    });
    if (response.status !== 200) throw await refusalOf(response, apiKey !== undefined);
    const contentType = mediaType(response);
    if (!types.test(contentType)) throw unknownResponse(response);
    return {
      content: new Uint8Array(await response.arrayBuffer()),
      contentType,
      headers: response.headers,
    };
  } catch (error) {
    if (error instanceof ClientError || signal.aborted) throw error;
    if (timeout.aborted) {
      throw new ClientError(
        'unavailable',
        'TIMEOUT',
        `${api.origin} did not respond within ${timeoutMs / 1000} s; --timeout sets a longer time.`,
        { cause: error },
      );
    }
    throw new ClientError(
      'unavailable',
      'SERVICE_UNREACHABLE',
      `${api.origin} cannot be reached (${systemCode(error)}); --api sets the address of image-api.`,
      { cause: error },
    );
  }
}

/** The next step of a caller that image-api does not know. */
export function keyAdvice(hasKey: boolean): string {
  return hasKey
    ? "Ask image-api's operators for a key that is in use."
    : 'Set IMAGE_API_KEY, or --key-file, to an API key.';
}

/** The error of a response that is not 200: from its problem document (RFC 9457), if it has one. */
async function refusalOf(response: Response, hasKey: boolean): Promise<ClientError> {
  if (mediaType(response) !== 'application/problem+json') return unknownResponse(response);
  const member = membersOf(await response.text());
  const reason = member('reason') ?? `HTTP_${response.status}`;
  const detail = member('detail') ?? member('title') ?? `${response.status} ${response.statusText}`;
  const advice = reason === 'UNAUTHENTICATED' ? ` ${keyAdvice(hasKey)}` : '';
  return new ClientError(endOf(response.status, reason), reason, `${detail}${advice}`);
}

/** Returns a function that reads the string members of a JSON object; other JSON has none. */
function membersOf(json: string): (name: string) => string | undefined {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {}
  return (name) => {
    const member: unknown = Object(value)[name];
    return typeof member === 'string' ? member : undefined;
  };
}

/** The error of a response that does not come from image-api: from a proxy before it, or another service. */
function unknownResponse(response: Response): ClientError {
  const { status, statusText } = response;
  return new ClientError(
    endOf(status, ''),
    status === 200 ? 'ANSWER_UNKNOWN' : `HTTP_${status}`,
    `${new URL(response.url).origin} responded with ${status} ${statusText} and ${mediaType(response) || 'no type'}, ` +
      'unlike image-api; --api sets the address of image-api.',
  );
}

/** The end of the client for a failure, by its HTTP status and its reason. */
export function endOf(status: number, reason: string): ClientError['end'] {
  if (status === 408 || status === 429 || status === 503 || status === 504) return 'unavailable';
  // image-api sends 502 where the host of the caller's URL is at fault; a proxy, where image-api is unreachable.
  if (status === 502) return reason.startsWith('ORIGIN_') ? 'refused' : 'unavailable';
  return status >= 400 && status < 500 ? 'refused' : 'unexpected';
}

function mediaType(response: Response): string {
  return (response.headers.get('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

/** The code of a failed fetch: its message is always "fetch failed", and its cause has the code. */
export function systemCode(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (!(cause instanceof Error)) return String(cause);
  return 'code' in cause ? String(cause.code) : cause.message;
}
