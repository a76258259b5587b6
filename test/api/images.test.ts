import { describe, expect, it } from 'vitest';
import {
  CacheState,
  Datatype,
  Filter,
  Fit,
  ImageFormat,
  Numerics,
  TensorContainer,
} from '../../gen/image/v1/processor_pb.ts';
import { processImage } from '../../src/api/images.ts';
import { writeResponse } from '../../src/api/response.ts';
import { plainContent, plainResponse, startTestApi, useTestApi } from '../support/api.ts';

const picture = new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 1, 2, 3]);

const { processor, api } = await useTestApi();

function post(
  body: NonNullable<RequestInit['body']>,
  headers: Record<string, string> = {},
  query = '',
): Promise<Response> {
  return fetch(`${api.url}/v1/images${query}`, { method: 'POST', body, headers });
}

function form(fields: Record<string, string | Blob>): FormData {
  const data = new FormData();
  for (const [name, value] of Object.entries(fields)) data.append(name, value);
  return data;
}

describe(processImage, () => {
  it('sends an image of a form to the processor with the defaults of the environment', async () => {
    const response = await post(form({ image: new File([picture], 'a.png') }));
    expect(response.status).toBe(200);
    expect(new Uint8Array(await response.arrayBuffer())).toEqual(plainContent);
    const request = processor.request();
    expect(request.source.case).toBe('content');
    expect(new Uint8Array(request.source.value as Uint8Array)).toEqual(picture);
    expect(request).toMatchObject({
      resize: { width: 1024, height: 768, fit: Fit.FILL, filter: Filter.BILINEAR },
      grayscale: true,
      output: { case: 'image', value: { format: ImageFormat.UNSPECIFIED, quality: 0 } },
      numerics: Numerics.EXACT,
      background: '',
    });
  });

  it('reads options from the fields of the form', async () => {
    await post(form({ width: '300', image: new File([picture], 'a.png'), grayscale: 'false', fit: 'cover' }));
    expect(processor.request()).toMatchObject({
      // 0 is the height in proportion, where fit has no effect.
      resize: { width: 300, height: 0, fit: Fit.UNSPECIFIED },
      grayscale: false,
    });
  });

  it('reads options from the query and from the form together', async () => {
    await post(form({ image: new File([picture], 'a.png'), height: '20' }), {}, '?width=10');
    expect(processor.request()).toMatchObject({ resize: { width: 10, height: 20 } });
  });

  it('reads the URL of a form, and ignores the empty file field that a browser sends with it', async () => {
    await post(form({ image: new File([], ''), url: 'https://example.com/a.jpg' }));
    expect(processor.request().source).toMatchObject({ case: 'url', value: 'https://example.com/a.jpg' });
  });

  it.each(['image/png', 'image/jpeg; charset=binary', 'application/octet-stream', 'IMAGE/PNG'])(
    'takes the whole body as the image when it is %s',
    async (contentType) => {
      const response = await post(picture, { 'Content-Type': contentType }, '?format=webp&quality=70');
      expect(response.status).toBe(200);
      const request = processor.request();
      expect(new Uint8Array(request.source.value as Uint8Array)).toEqual(picture);
      expect(request.output).toMatchObject({
        case: 'image',
        value: { format: ImageFormat.WEBP, quality: 70 },
      });
    },
  );

  it('reads the whole body as the image when it has no type', async () => {
    await post(picture);
    expect(processor.request().source.case).toBe('content');
  });

  it('reads the body of curl --data-binary, declared as a form, as an image', async () => {
    await post(picture, { 'Content-Type': 'application/x-www-form-urlencoded' });
    expect(new Uint8Array(processor.request().source.value as Uint8Array)).toEqual(picture);
  });

  it('reads a simple form with url and options, as curl -d sends it', async () => {
    await post('url=https%3A%2F%2Fexample.com%2Fa.jpg&width=5', {
      'Content-Type': 'application/x-www-form-urlencoded',
    });
    expect(processor.request()).toMatchObject({
      source: { case: 'url', value: 'https://example.com/a.jpg' },
      resize: { width: 5 },
    });
  });

  it('reads JSON with url and options as text, numbers, flags and lists', async () => {
    const body = {
      url: 'https://example.com/a.jpg',
      width: 224,
      height: '224',
      grayscale: false,
      format: 'npy',
      mean: [0.485, 0.456, 0.406],
      std: '0.229,0.224,0.225',
      datatype: 'fp16',
    };
    await post(JSON.stringify(body), { 'Content-Type': 'application/json' });
    expect(processor.request()).toMatchObject({
      source: { case: 'url', value: 'https://example.com/a.jpg' },
      resize: { width: 224, height: 224 },
      grayscale: false,
      output: {
        case: 'tensor',
        value: {
          container: TensorContainer.NPY,
          datatype: Datatype.FP16,
          mean: [0.485, 0.456, 0.406],
          std: [0.229, 0.224, 0.225],
        },
      },
    });
  });

  it('downloads nothing itself: GET passes the URL to the processor', async () => {
    await fetch(
      `${api.url}/v1/images?url=${encodeURIComponent('https://example.com/a b.jpg?x=1')}&scale=false`,
    );
    const request = processor.request();
    expect(request.source).toMatchObject({ case: 'url', value: 'https://example.com/a b.jpg?x=1' });
    expect(request.resize).toBeUndefined();
  });

  it('reads a URL in the query of a POST without a body', async () => {
    await fetch(`${api.url}/v1/images?url=https://example.com/a.jpg`, { method: 'POST' });
    expect(processor.request().source.case).toBe('url');
  });

  it('passes an image of 8 MB on unchanged', async () => {
    const large = new Uint8Array(8_000_000).map((_, index) => (index * 31) % 251);
    const response = await post(form({ image: new File([large], 'a.bin') }));
    expect(response.status).toBe(200);
    expect(Buffer.compare(processor.request().source.value as Uint8Array, large)).toBe(0);
  });

  it('sends the remaining time to the processor as the deadline', async () => {
    const left = new Promise<number | undefined>((resolve) => {
      processor.script.process = (_request, context) => {
        resolve(context.timeoutMs());
        return plainResponse;
      };
    });
    await post(picture);
    const timeoutMs = await left;
    expect(timeoutMs).toBeGreaterThan(20_000);
    expect(timeoutMs).toBeLessThanOrEqual(30_000);
  });

  it('cancels the call when the caller leaves', async () => {
    const leave = new AbortController();
    const cancelled = new Promise<unknown>((resolve) => {
      processor.script.process = (_request, { signal }) =>
        new Promise((_, reject) => {
          signal.addEventListener('abort', () => {
            resolve(signal.reason);
            reject(signal.reason);
          });
          leave.abort();
        });
    });
    const fetched = fetch(`${api.url}/v1/images`, {
      method: 'POST',
      body: picture,
      signal: leave.signal,
      headers: { 'X-Request-Id': 'leaver' },
    });
    await expect(fetched).rejects.toThrow();
    // gRPC's own code for it: 1, CANCELLED.
    expect(await cancelled).toMatchObject({ code: 1 });
    expect(await api.accessLine('leaver')).toMatchObject({ status: 499, reason: 'CANCELLED' });
  });
});

describe(writeResponse, () => {
  it('describes the response and its provenance', async () => {
    const { headers } = await post(picture);
    expect(headers.get('content-type')).toBe('image/jpeg');
    expect(headers.get('content-length')).toBe('8');
    expect(headers.get('content-disposition')).toBe('inline; filename="image.jpg"');
    expect(headers.get('etag')).toBe('"c0ffee"');
    expect(headers.get('image-width')).toBe('4');
    expect(headers.get('image-height')).toBe('2');
    expect(headers.get('image-source')).toBe('png;width=40;height=20;bytes=1234;sha256="ab12"');
    expect(headers.get('image-numerics')).toBe('"1"');
    expect(headers.get('image-decisions')).toBe('"orientation=6"');
    expect(headers.get('image-libraries')).toBe('sharp="0.35.5"');
    expect(headers.get('tensor-shape')).toBeNull();
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('server-timing')).toMatch(
      /^decode;dur=1\.50, resize;dur=2\.25, read;dur=[\d.]+, rpc;dur=[\d.]+, total;dur=[\d.]+$/,
    );
  });

  it("describes a tensor by the Open Inference Protocol's words", async () => {
    processor.script.process = () => ({
      ...plainResponse,
      contentType: 'application/x-npy',
      tensors: [{ name: 'image', datatype: 'FP32', shape: [1n, 3n, 224n, 224n] }],
    });
    const { headers } = await post(picture, {}, '?format=npy');
    expect(headers.get('content-type')).toBe('application/x-npy');
    expect(headers.get('content-disposition')).toBe('inline; filename="image.npy"');
    expect(headers.get('tensor-datatype')).toBe('FP32');
    expect(headers.get('tensor-shape')).toBe('1, 3, 224, 224');
  });

  it('sends no tensor headers where there are several tensors: each has its own datatype and shape', async () => {
    processor.script.process = () => ({
      ...plainResponse,
      contentType: 'application/vnd.safetensors',
      tensors: [
        { name: 'pixel_values', datatype: 'FP32', shape: [256n, 1176n] },
        { name: 'image_grid_thw', datatype: 'INT64', shape: [1n, 3n] },
      ],
    });
    const { headers } = await post(picture, {}, '?format=safetensors');
    expect(headers.get('content-type')).toBe('application/vnd.safetensors');
    expect([headers.get('tensor-datatype'), headers.get('tensor-shape')]).toEqual([null, null]);
  });

  it('restricts a decision to the characters that a header may contain', async () => {
    processor.script.process = () => ({
      ...plainResponse,
      provenance: { numericsVersion: '1', decisions: ['icc="Größe\r\nX: 1"', 'alpha=dropped'] },
    });
    const { headers } = await post(picture);
    expect(headers.get('image-decisions')).toBe('"icc=\\"Gr??e??X: 1\\"", "alpha=dropped"');
  });

  it.each([
    [CacheState.MISS, 'image-processor; fwd=miss'],
    [CacheState.HIT_MEMORY, 'image-processor; hit; detail=memory'],
    [CacheState.HIT_REDIS, 'image-processor; hit; detail=redis'],
    [CacheState.SHARED, 'image-processor; fwd=miss; collapsed'],
  ])('tells cache state %i as %s', async (cache, expected) => {
    processor.script.process = () => ({ ...plainResponse, cache });
    expect((await post(picture)).headers.get('cache-status')).toBe(expected);
  });

  it('lets caches keep the responses to GET, but not those to POST', async () => {
    const url = `${api.url}/v1/images?url=https://example.com/a.jpg`;
    expect((await fetch(url)).headers.get('cache-control')).toBe('public, no-cache');
    expect((await post(picture)).headers.get('cache-control')).toBe('no-store');
  });

  it.each(['"c0ffee"', 'W/"c0ffee"', '"other", "c0ffee"', '*'])(
    'responds with 304 to If-None-Match: %s',
    async (tag) => {
      const response = await fetch(`${api.url}/v1/images?url=https://example.com/a.jpg`, {
        headers: { 'If-None-Match': tag },
        cache: 'no-store',
      });
      expect(response.status).toBe(304);
      expect(response.headers.get('etag')).toBe('"c0ffee"');
      expect(response.headers.get('cache-control')).toBe('public, no-cache');
      expect(await response.text()).toBe('');
    },
  );

  it('responds in full to the tag of another response, and to any tag with POST', async () => {
    const other = { 'If-None-Match': '"0ther"' };
    const url = `${api.url}/v1/images?url=https://example.com/a.jpg`;
    expect((await fetch(url, { headers: other, cache: 'no-store' })).status).toBe(200);
    expect((await post(picture, { 'If-None-Match': '"c0ffee"' })).status).toBe(200);
  });

  it('responds to HEAD with only the headers of GET', async () => {
    const response = await fetch(`${api.url}/v1/images?url=https://example.com/a.jpg`, { method: 'HEAD' });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-length')).toBe('8');
    expect(response.headers.get('content-type')).toBe('image/jpeg');
    expect((await response.arrayBuffer()).byteLength).toBe(0);
  });
});

describe('the defaults from the environment', () => {
  it('apply to options that a request omits, and not to those that it gives', async () => {
    await using other = await startTestApi({
      PROCESSOR_URL: processor.url,
      IMAGE_SCALE: 'false',
      IMAGE_GRAYSCALE: 'false',
      IMAGE_FORMAT: 'webp',
      IMAGE_QUALITY: '60',
      IMAGE_NUMERICS: 'fast',
      IMAGE_FILTER: 'lanczos',
    });
    await fetch(`${other.url}/v1/images`, { method: 'POST', body: picture });
    await fetch(`${other.url}/v1/images?width=30&format=png&numerics=exact`, {
      method: 'POST',
      body: picture,
    });
    const [plain, full] = processor.requests;
    expect(plain?.resize).toBeUndefined();
    expect(plain).toMatchObject({
      grayscale: false,
      numerics: Numerics.FAST,
      output: { value: { format: ImageFormat.WEBP, quality: 60 } },
    });
    expect(full).toMatchObject({
      resize: { width: 30, height: 0, filter: Filter.LANCZOS },
      numerics: Numerics.EXACT,
      output: { value: { format: ImageFormat.PNG, quality: 0 } },
    });
  });
});
