import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { text } from 'node:stream/consumers';
import { ClientError } from '../client-error.ts';
import { codeOf, wordsOf } from '../files.ts';
import { onePixel } from '../probe-images.ts';
import { send } from '../send.ts';
import { type Check, type Findings, ok, wrong } from './check.ts';

/** The declared length of an upload whose body is never sent, in bytes: more than any MAX_UPLOAD_BYTES. */
const endlessUploadBytes = 2 ** 40;

const whereIsApi = 'Start it (npm start), or set its address with --api or IMAGE_API_URL.';

/** Checks that image-api runs, accepts the key and reaches a processor, and reads its defaults and limits. */
export async function askApi(
  api: URL,
  apiKey: string | undefined,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Findings> {
  const alive = await askAlive(api, timeoutMs, signal);
  if (alive.state !== 'ok') return { checks: [alive], versions: {}, limits: {} };
  const ready = await askReady(api, timeoutMs, signal);
  const image = await askImage(api, apiKey, timeoutMs, signal);
  const limit = await askUploadLimit(api, apiKey, timeoutMs);
  const defaults = await askDefaults(api, timeoutMs, signal);
  return {
    checks: [alive, ready, image.check],
    versions: image.numerics === undefined ? {} : { numerics: image.numerics },
    limits: limit === undefined ? {} : { MAX_UPLOAD_BYTES: limit },
    ...(defaults === undefined ? {} : { defaults }),
  };
}

async function get(api: URL, path: string, timeoutMs: number, signal: AbortSignal): Promise<Response> {
  const within = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  return await fetch(`${api.href.replace(/\/+$/, '')}${path}`, { redirect: 'manual', signal: within });
}

async function askAlive(api: URL, timeoutMs: number, signal: AbortSignal): Promise<Check> {
  const name = 'image-api';
  const started = performance.now();
  try {
    const { status } = await get(api, '/healthz', timeoutMs, signal);
    const words = `${api.origin} responds`;
    if (status === 200) return ok(name, `${words} (${Math.round(performance.now() - started)} ms)`);
    return wrong(name, `${words} with ${status} at /healthz, unlike image-api`, whereIsApi);
  } catch (error) {
    signal.throwIfAborted();
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    const words = codeOf(cause) ?? wordsOf(cause);
    return wrong(name, `${api.origin} does not respond: ${words}`, whereIsApi);
  }
}

async function askReady(api: URL, timeoutMs: number, signal: AbortSignal): Promise<Check> {
  const name = "image-api's processor";
  const status = await get(api, '/readyz', timeoutMs, signal).then(
    (response) => response.status,
    () => 0,
  );
  signal.throwIfAborted();
  if (status === 200) return ok(name, 'image-api reaches one');
  return wrong(
    name,
    `image-api is not ready (${status === 0 ? 'no response' : status} at /readyz)`,
    "Set image-api's PROCESSOR_URL to the address of image-processor, and start image-processor.",
  );
}

async function askImage(
  api: URL,
  apiKey: string | undefined,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<{ check: Check; numerics?: string }> {
  const name = 'image over HTTP';
  try {
    const options = { scale: 'false', grayscale: 'false', format: 'png' };
    const { headers, contentType } = await send(api, onePixel, options, timeoutMs, signal, apiKey);
    const numerics = headers.get('image-numerics')?.replaceAll('"', '');
    const size = `${headers.get('image-width')} × ${headers.get('image-height')}`;
    return { check: ok(name, `${contentType}, ${size}`), ...(numerics === undefined ? {} : { numerics }) };
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    return { check: wrong(name, `${error.reason}: ${error.message}`, nextAfter(error.reason, apiKey)) };
  }
}

function nextAfter(reason: string, apiKey: string | undefined): string {
  if (/KEY|UNAUTH|HTTP_40[13]/.test(reason)) {
    return apiKey === undefined
      ? 'Set IMAGE_API_KEY (or --api-key) to a key that this image-api accepts.'
      : 'This image-api does not accept the key in IMAGE_API_KEY or --api-key; ask its operators for one.';
  }
  if (reason === 'PROCESSOR_UNAVAILABLE') return "Check image-api's PROCESSOR_URL first.";
  return 'docs/errors.md describes this reason.';
}

/** MAX_UPLOAD_BYTES, from the refusal of an upload that declares too many bytes and is aborted. */
function askUploadLimit(
  api: URL,
  apiKey: string | undefined,
  timeoutMs: number,
): Promise<number | undefined> {
  const { promise, resolve } = Promise.withResolvers<number | undefined>();
  const start = api.protocol === 'https:' ? httpsRequest : httpRequest;
  const request = start(`${api.href.replace(/\/+$/, '')}/v1/images`, {
    method: 'POST',
    timeout: timeoutMs,
    headers: {
      'content-type': 'application/octet-stream',
      'content-length': endlessUploadBytes,
      ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
    },
  });
  request.once('response', (response) => {
    text(response)
      .then(
        (body) => resolve(limitIn(body)),
        () => resolve(undefined),
      )
      .finally(() => request.destroy());
  });
  request.once('timeout', () => request.destroy());
  request.on('error', () => resolve(undefined));
  request.once('close', () => resolve(undefined));
  request.flushHeaders();
  return promise;
}

function limitIn(problem: string): number | undefined {
  try {
    const { reason, metadata } = Object(JSON.parse(problem));
    const limit = Number(Object(metadata).limit);
    return reason === 'SOURCE_BYTES_OVER_LIMIT' && limit > 0 ? limit : undefined;
  } catch {
    return undefined;
  }
}

/** This instance's defaults of the options, from its OpenAPI document. */
async function askDefaults(
  api: URL,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Record<string, unknown> | undefined> {
  try {
    const response = await get(api, '/openapi.json', timeoutMs, signal);
    const document = Object(await response.json());
    const parameters: unknown = document.paths?.['/v1/images']?.get?.parameters;
    if (!Array.isArray(parameters)) return undefined;
    const rows = parameters.map(
      (parameter) => [String(parameter?.name), parameter?.schema?.default] as const,
    );
    return Object.fromEntries(rows.filter(([, value]) => value !== undefined));
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}
