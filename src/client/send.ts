import { ClientError } from './client-error.ts';

/** The image (or tensor) and what the service says of how it was made. */
export interface Answer {
  readonly content: Uint8Array;
  readonly contentType: string;
  readonly headers: Headers;
}

/**
 * Sends one image, or the URL of one, to image-api.
 *
 * @param options - by their names in the API's query
 * @param apiKey - for an image-api that asks for one
 * @throws ClientError for every answer that is not an image or a tensor
 */
export async function send(
  api: URL,
  source: Uint8Array<ArrayBuffer> | { readonly url: string },
  options: Readonly<Record<string, string>>,
  timeoutMs: number,
  signal: AbortSignal,
  apiKey?: string,
): Promise<Answer> {
  const target = new URL(`${api.href.replace(/\/+$/, '')}/v1/images`);
  target.search = new URLSearchParams(options).toString();
  const key = apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` };
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(target, {
      method: 'POST',
      redirect: 'manual',
      signal: AbortSignal.any([signal, timeout]),
      ...(source instanceof Uint8Array
        ? { body: source, headers: { ...key, 'content-type': 'application/octet-stream' } }
        : { body: JSON.stringify(source), headers: { ...key, 'content-type': 'application/json' } }),
    });
    if (response.status !== 200) throw await refusal(response);
    const contentType = mediaType(response);
    if (!/^image\/|^application\/(octet-stream|x-npy|x-npz|vnd\.safetensors)$/.test(contentType)) {
      throw stranger(response);
    }
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
        `${api.origin} did not answer within ${timeoutMs / 1000} s; --timeout allows more.`,
        { cause: error },
      );
    }
    throw new ClientError(
      'unavailable',
      'SERVICE_UNREACHABLE',
      `${api.origin} cannot be reached (${systemCode(error)}); --api tells where image-api is.`,
      { cause: error },
    );
  }
}

/** An answer that is not 200, as an error: what its problem document (RFC 9457) says, if it has one. */
async function refusal(response: Response): Promise<ClientError> {
  if (mediaType(response) !== 'application/problem+json') return stranger(response);
  const member = membersOf(await response.text());
  const reason = member('reason') ?? `HTTP_${response.status}`;
  const detail = member('detail') ?? member('title') ?? `${response.status} ${response.statusText}`;
  return new ClientError(endOf(response.status, reason), reason, detail);
}

/** Reads the texts of a JSON object; of anything else, none. */
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

/** An answer that image-api does not give: of a proxy before it, or of another service. */
function stranger(response: Response): ClientError {
  const { status, statusText } = response;
  return new ClientError(
    endOf(status, ''),
    status === 200 ? 'ANSWER_UNKNOWN' : `HTTP_${status}`,
    `${new URL(response.url).origin} answered ${status} ${statusText} with ${mediaType(response) || 'no type'}, ` +
      'not as image-api answers; --api tells where image-api is.',
  );
}

function endOf(status: number, reason: string): ClientError['end'] {
  if (status === 408 || status === 429 || status === 503 || status === 504) return 'unavailable';
  // image-api says 502 when the host of the caller's URL is at fault; a proxy, when image-api is away.
  if (status === 502) return reason.startsWith('ORIGIN_') ? 'refused' : 'unavailable';
  return status >= 400 && status < 500 ? 'refused' : 'unexpected';
}

function mediaType(response: Response): string {
  return (response.headers.get('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

/** fetch says "fetch failed" for all that can go wrong; its cause has the code. */
function systemCode(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (!(cause instanceof Error)) return String(cause);
  return 'code' in cause ? String(cause.code) : cause.message;
}
