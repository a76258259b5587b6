import { readFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { text } from 'node:stream/consumers';
import type { FailureReason } from '../../src/failures.ts';
import { pagesPdf } from './pdf.ts';

/*
 * A request that fails for each reason that one request over HTTP can show. Its problem is the example in
 * src/api/problems/problem-examples.ts.
 */

const sample = readFileSync(new URL('../fixtures/sample.jpg', import.meta.url));

const encrypted = readFileSync(new URL('../fixtures/pdf/encrypted-rc4.pdf', import.meta.url));
const pdfType = 'application/pdf';

/** Base addresses of the services that fail as wanted. */
export interface FailingServices {
  /** With the defaults. */
  readonly plain: string;
  /** Asks for API keys and signed links, and allows one request a second. */
  readonly guarded: string;
  /** Its processor does not run. */
  readonly alone: string;
}

/** @param origin - the base address of the server from which the processor may download */
type Send = (services: FailingServices, origin: string) => Promise<Response>;

const post =
  (body: RequestInit['body'], query = '', type = 'image/jpeg'): Send =>
  ({ plain }) =>
    fetch(`${plain}/v1/images${query}`, {
      method: 'POST',
      body: body ?? null,
      headers: { 'content-type': type },
    });
const option = (query: string): Send => post(sample, `?${query}`);
const get =
  (url: string): Send =>
  ({ plain }) =>
    fetch(`${plain}/v1/images?${new URLSearchParams({ url })}`);

const config = (type: string) =>
  `${new URLSearchParams({ preprocessor_config: JSON.stringify({ image_processor_type: type }) })}`;

/** A comparison of the sample with raw values in FP32. */
const compare =
  (shape: readonly number[], value: (index: number) => number, images = 1): Send =>
  ({ plain }) => {
    const body = new FormData();
    for (let image = 0; image < images; image++) body.append('image', new Blob([sample]), 'photo.jpg');
    const length = shape.reduce((product, axis) => product * axis, 1);
    body.append('tensor', new Blob([Float32Array.from({ length }, (_, index) => value(index))]), 'x.raw');
    body.append('shape', shape.join(','));
    body.append('datatype', 'FP32');
    body.append('preset', 'openai/clip-vit-base-patch32');
    return fetch(`${plain}/v1/skew`, { method: 'POST', body });
  };

export const failingRequests: { readonly [reason in FailureReason]?: Send } = {
  SOURCE_MISSING: post(null, '', ''),
  SOURCE_AMBIGUOUS: post(sample, '?url=https://images.example/cat.jpg'),
  SOURCE_EMPTY: post(''),
  SOURCE_BYTES_OVER_LIMIT: ({ plain }) => declares(plain, { 'content-length': 104_857_600 }),
  SOURCE_PIXELS_OVER_LIMIT: post(bmpOf(40_000, 30_000, false)),
  FORMAT_UNSUPPORTED: post('<svg xmlns="http://www.w3.org/2000/svg"/>', '', 'image/svg+xml'),
  IMAGE_CORRUPT: post(sample.subarray(0, 5000)),
  DOCUMENT_EMPTY: post(pagesPdf([]), '', pdfType),
  DOCUMENT_PASSWORD_REQUIRED: post(encrypted, '', pdfType),
  DOCUMENT_PASSWORD_WRONG: ({ plain }) =>
    fetch(`${plain}/v1/images`, {
      method: 'POST',
      body: encrypted,
      headers: { 'content-type': pdfType, 'x-document-password': 'guess' },
    }),
  PAGE_OUT_OF_RANGE: post(pagesPdf([{}, {}, {}]), '?page=4', pdfType),
  OPTION_INVALID: option('width=0'),
  OPTION_UNKNOWN: option('widht=224'),
  OUTPUT_BYTES_OVER_LIMIT: option('format=npy&width=16000&height=16000&grayscale=false'),
  OUTPUT_PIXELS_OVER_LIMIT: option('width=10500&height=10500'),
  PRESET_UNKNOWN: option('preset=openai/clip-vit-base-patch23'),
  PRESET_INVALID: option('preprocessor_config=clip'),
  PRESET_UNSUPPORTED: option(config('ImageGPTImageProcessor')),
  PAIRS_INVALID: compare([1], () => 0, 2),
  TENSOR_INVALID: ({ plain }) => {
    const body = new FormData();
    body.append('image', new Blob([sample]), 'photo.jpg');
    body.append('tensor', new Blob(['not a tensor']), 'x.npy');
    return fetch(`${plain}/v1/skew`, { method: 'POST', body });
  },
  TENSOR_NOT_FINITE: compare([1, 3, 224, 224], (index) => (index === 224 ? Number.NaN : 0)),
  TENSOR_SHAPE_UNEXPLAINED: compare([1, 2, 3, 4, 5], (index) => index),
  TENSOR_UNRELATED: compare([1, 3, 224, 224], (index) => ((index * 7919) % 256) / 255),
  NUMERICS_UNSUPPORTED: option('preset=ultralytics/yolo&numerics=torch'),
  ASPECT_RATIO_OVER_LIMIT: post(bmpOf(4000, 10, true), `?${config('Qwen2VLImageProcessor')}`),
  CONTENT_TYPE_UNSUPPORTED: post(sample, '', 'video/mp4'),
  MULTIPART_INVALID: post(sample, '', 'multipart/form-data'),
  JSON_INVALID: post('{"url": ', '', 'application/json'),
  EXPECTATION_UNSUPPORTED: ({ plain }) => declares(plain, { expect: '200-ok', 'content-length': 0 }),
  ROUTE_UNKNOWN: ({ plain }) => fetch(`${plain}/v1/image`),
  METHOD_NOT_ALLOWED: ({ plain }) => fetch(`${plain}/v1/images`, { method: 'PUT' }),
  UNAUTHENTICATED: ({ guarded }) => fetch(`${guarded}/v1/presets`),
  SIGNATURE_INVALID: ({ guarded }) =>
    fetch(`${guarded}/v1/presets?expires=4102444800&signature=${'A'.repeat(43)}`),
  RATE_LIMITED: async ({ guarded }) => {
    const ask = () => fetch(`${guarded}/v1/presets?limit=1`, { headers: { 'x-api-key': 'secret' } });
    await ask();
    return ask();
  },
  URL_INVALID: get('images.example/cat.jpg'),
  URL_SCHEME_UNSUPPORTED: get('ftp://images.example/cat.jpg'),
  URL_ADDRESS_FORBIDDEN: get('http://169.254.169.254/latest/meta-data'),
  BUCKET_FORBIDDEN: get('s3://photos/cat.jpg'),
  ORIGIN_STATUS: (services, origin) => get(`${origin}/missing.jpg`)(services, origin),
  ORIGIN_BUSY: (services, origin) => get(`${origin}/busy.jpg`)(services, origin),
  ORIGIN_REDIRECTS_OVER_LIMIT: (services, origin) => get(`${origin}/circle.jpg`)(services, origin),
  PROCESSOR_UNAVAILABLE: ({ alone }) => fetch(`${alone}/v1/presets`),
};

/** A POST of which only the headers are sent. */
async function declares(url: string, headers: Record<string, string | number>): Promise<Response> {
  const { promise, resolve, reject } = Promise.withResolvers<Response>();
  const request = httpRequest(`${url}/v1/images`, {
    method: 'POST',
    headers: { 'content-type': 'image/jpeg', ...headers },
  });
  request.on('error', reject).on('response', async (response) => {
    resolve(
      new Response(await text(response), {
        status: response.statusCode ?? 0,
        headers: { 'content-type': response.headers['content-type'] ?? '' },
      }),
    );
    request.destroy();
  });
  request.flushHeaders();
  return promise;
}

/** A black BMP with 24 bits a pixel; only its header where `isWhole` is false. */
function bmpOf(width: number, height: number, isWhole: boolean): Buffer<ArrayBuffer> {
  const headerBytes = 54;
  const bmp = Buffer.alloc(headerBytes + (isWhole ? width * height * 3 : 0));
  bmp.write('BM');
  bmp.writeUInt32LE(headerBytes, 10);
  bmp.writeUInt32LE(40, 14);
  bmp.writeInt32LE(width, 18);
  bmp.writeInt32LE(height, 22);
  bmp.writeUInt16LE(1, 26);
  bmp.writeUInt16LE(24, 28);
  return bmp;
}
