import { describe, expect, it } from 'vitest';
import { readRequest } from '../../src/api/request.ts';
import { type Problem, problemOf, useTestApi } from '../support/api.ts';

const picture = new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 1, 2, 3]);

const { processor, api } = await useTestApi({ MAX_UPLOAD_BYTES: '1000' });

/** The problem of a refused POST. None of these may reach the processor. */
async function refusal(
  body: RequestInit['body'],
  options: { readonly query?: string; readonly contentType?: string } = {},
): Promise<Problem> {
  const { query = '', contentType } = options;
  const response = await fetch(`${api.url}/v1/images${query}`, {
    method: 'POST',
    body: body ?? null,
    headers: contentType === undefined ? {} : { 'Content-Type': contentType },
  });
  const problem = await problemOf(response);
  expect(problem.status).toBe(response.status);
  expect(processor.requests).toEqual([]);
  return problem;
}

function form(...fields: [name: string, value: string | Blob][]): FormData {
  const data = new FormData();
  for (const [name, value] of fields) data.append(name, value);
  return data;
}

const file = new File([picture], 'a.png', { type: 'image/png' });

describe(readRequest, () => {
  describe('of the image', () => {
    it('refuses an empty POST', async () => {
      expect(await refusal(null)).toMatchObject({ status: 400, reason: 'SOURCE_MISSING' });
    });

    it.each(['image/jpeg', 'application/octet-stream', 'application/x-www-form-urlencoded'])(
      'refuses an empty body of type %s as an empty file',
      async (contentType) => {
        expect(await refusal(null, { contentType })).toMatchObject({
          status: 400,
          reason: 'SOURCE_EMPTY',
          metadata: { actual: '0' },
        });
      },
    );

    it('refuses an empty file in a form', async () => {
      expect(await refusal(form(['image', new File([], 'a.jpg')]))).toMatchObject({ reason: 'SOURCE_EMPTY' });
    });

    it('refuses GET without a url', async () => {
      expect(await problemOf(await fetch(`${api.url}/v1/images?width=3`))).toMatchObject({
        status: 400,
        reason: 'SOURCE_MISSING',
      });
      expect(await problemOf(await fetch(`${api.url}/v1/images?url=`))).toMatchObject({
        reason: 'SOURCE_MISSING',
      });
    });

    it('refuses a form without a file', async () => {
      expect(await refusal(form(['width', '30']))).toMatchObject({ status: 400, reason: 'SOURCE_MISSING' });
    });

    it('names the right field for a file that is sent in another', async () => {
      expect(await refusal(form(['photo', file]))).toMatchObject({
        reason: 'SOURCE_MISSING',
        detail: 'The file is in the field "photo"; send it in the field "image".',
        metadata: { actual: 'photo', allowed: 'image' },
      });
    });

    it.each([
      ['two files', form(['image', file], ['image', file]), '', 'image, image'],
      ['a file and a url', form(['image', file], ['url', 'https://example.com/a']), '', 'image, url'],
      ['a file and a url in the query', form(['image', file]), '?url=https://example.com/a', 'url, image'],
      ['a body and a url in the query', picture, '?url=https://example.com/a', 'url, image'],
      ['two urls', null, '?url=https://example.com/a&url=https://example.com/b', 'url, url'],
    ])('refuses %s', async (_, body, query, actual) => {
      expect(await refusal(body, { query })).toMatchObject({
        status: 400,
        reason: 'SOURCE_AMBIGUOUS',
        metadata: { actual },
      });
    });
  });

  describe('of the body', () => {
    it.each(['text/plain', 'application/zip', 'multipart/mixed; boundary=x'])(
      'refuses type %s',
      async (contentType) => {
        expect(await refusal(picture, { contentType })).toMatchObject({
          status: 415,
          reason: 'CONTENT_TYPE_UNSUPPORTED',
          metadata: { actual: contentType.replace(/;.*/, '') },
        });
      },
    );

    it.each(['binary/octet-stream', 'application/x-binary', 'APPLICATION/OCTET-STREAM; x=1', 'octet/stream'])(
      'takes bytes of the type %s for the image',
      async (contentType) => {
        const headers = { 'Content-Type': contentType };
        const response = await fetch(`${api.url}/v1/images`, { method: 'POST', body: picture, headers });
        expect(response.status).toBe(200);
        expect(processor.request().source).toEqual({ case: 'content', value: picture });
      },
    );

    it.each([
      ['application/json', ''],
      ['application/json; charset=utf-8', '\ufeff'],
      ['text/json', ''],
      ['application/vnd.api+json', ' '],
      // .NET's StringContent
      ['text/plain; charset=utf-8', ''],
      // curl -d and PowerShell's -Body
      ['application/x-www-form-urlencoded', '\n'],
    ])('takes a JSON object of the type %s for one', async (contentType, before) => {
      const config = { size: { height: 3, width: 3 }, image_mean: [0.5, 0.25] };
      const json = { url: 'https://example.com/a', preprocessor_config: config };
      const response = await fetch(`${api.url}/v1/images`, {
        method: 'POST',
        body: before + JSON.stringify(json),
        headers: { 'Content-Type': contentType },
      });
      expect(response.status).toBe(200);
      const { source, preprocessorConfig } = processor.request();
      expect(source).toEqual({ case: 'url', value: 'https://example.com/a' });
      expect(JSON.parse(preprocessorConfig)).toEqual(config);
    });

    it('accepts a preprocessor config as an object in JSON variants', async () => {
      const variants = [{ preprocessor_config: { size: 3 } }, { width: 5 }];
      const body = JSON.stringify({ url: 'https://example.com/a', variants });
      const headers = { 'Content-Type': 'application/json' };
      const response = await fetch(`${api.url}/v1/images`, { method: 'POST', body, headers });
      // The scripted processor has no variants; the request was read.
      expect((await problemOf(response)).reason).not.toBe('OPTION_INVALID');
    });

    it('refuses a compressed body', async () => {
      const response = await fetch(`${api.url}/v1/images`, {
        method: 'POST',
        body: picture,
        headers: { 'Content-Encoding': 'gzip', 'Content-Type': 'image/png' },
      });
      expect(await problemOf(response)).toMatchObject({
        status: 415,
        reason: 'CONTENT_TYPE_UNSUPPORTED',
        metadata: { actual: 'gzip', allowed: 'identity' },
      });
    });

    it('refuses a form whose type has no boundary', async () => {
      expect(await refusal('--x--', { contentType: 'multipart/form-data' })).toMatchObject({
        status: 400,
        reason: 'MULTIPART_INVALID',
      });
    });

    it('refuses a form whose boundary is not the one of its type', async () => {
      const body =
        '--abc\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\nx\r\n--abc--\r\n';
      expect(await refusal(body, { contentType: 'multipart/form-data; boundary=xyz' })).toMatchObject({
        reason: 'MULTIPART_INVALID',
      });
    });

    it('refuses a form that was cut off', async () => {
      const body = '--abc\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\nxyz';
      expect(await refusal(body, { contentType: 'multipart/form-data; boundary=abc' })).toMatchObject({
        reason: 'MULTIPART_INVALID',
      });
    });

    it.each(['', '{"url": ', '[]', 'null', '"https://example.com/a"', '{"url": 5}'])(
      'refuses the JSON %s',
      async (body) => {
        expect(await refusal(body, { contentType: 'application/json' })).toMatchObject({
          status: 400,
          reason: 'JSON_INVALID',
        });
      },
    );

    it('refuses JSON that is nested deeper than any allowed value', async () => {
      const body = `{"url":"https://example.com/a","variants":${'['.repeat(30_000)}${']'.repeat(30_000)}}`;
      expect(await refusal(body, { contentType: 'application/json' })).toMatchObject({
        status: 400,
        reason: 'JSON_INVALID',
        metadata: { limit: '32', actual: '30001' },
      });
    });

    it('refuses JSON without a url', async () => {
      expect(await refusal('{"width": 3}', { contentType: 'application/json' })).toMatchObject({
        reason: 'SOURCE_MISSING',
      });
    });

    it('refuses JSON that is longer than a URL and options can be', async () => {
      const body = JSON.stringify({ url: `https://example.com/${'a'.repeat(70_000)}` });
      expect(await refusal(body, { contentType: 'application/json' })).toMatchObject({
        status: 413,
        reason: 'SOURCE_BYTES_OVER_LIMIT',
        metadata: { limit: '65536', actual: '70030' },
      });
    });

    it.each([null, {}, [[1]], [null]])('refuses %j as an option in JSON', async (width) => {
      const body = JSON.stringify({ url: 'https://example.com/a', width });
      expect(await refusal(body, { contentType: 'application/json' })).toMatchObject({
        reason: 'OPTION_INVALID',
        metadata: { option: 'width' },
      });
    });
  });

  describe('of the options', () => {
    it.each([
      ['width=0', 'width', '0', 'a whole number from 1 to 65535'],
      ['width=-1', 'width', '-1', 'a whole number from 1 to 65535'],
      ['height=1e9', 'height', '1e9', 'a whole number from 1 to 65535'],
      ['height=1000000000', 'height', '1000000000', 'a whole number from 1 to 65535'],
      ['width=abc', 'width', 'abc', 'a whole number from 1 to 65535'],
      ['width=', 'width', '', 'a whole number from 1 to 65535'],
      ['width=3.5', 'width', '3.5', 'a whole number from 1 to 65535'],
      ['fit=squeeze', 'fit', 'squeeze', 'one of fill, cover, contain, inside, outside'],
      [
        'format=svg',
        'format',
        'svg',
        'one of source, jpeg, png, webp, raw, npy, safetensors, npz, vllm, open_inference, auto',
      ],
      ['grayscale=yes', 'grayscale', 'yes', 'true or false'],
      ['quality=101', 'quality', '101', 'a whole number from 1 to 100'],
      ['background=red', 'background', 'red', 'a colour as RRGGBB or #RRGGBB'],
      ['format=npy&mean=1,x', 'mean', '1,x', 'finite numbers with commas between them'],
      ['format=npy&std=Infinity', 'std', 'Infinity', 'finite numbers with commas between them'],
    ])('refuses %s, naming option, value and what is allowed', async (query, option, actual, allowed) => {
      expect(await refusal(picture, { query: `?${query}` })).toMatchObject({
        status: 400,
        reason: 'OPTION_INVALID',
        detail: `${option} is "${actual}"; allowed: ${allowed}.`,
        metadata: { option, actual, allowed },
      });
    });

    it.each([
      ['?widht=3', 'widht', 'width'],
      ['?greyscale=true', 'greyscale', 'grayscale'],
      ['?Width=3', 'Width', 'width'],
      ['?zzzzzz=3', 'zzzzzz', undefined],
      ['?__proto__=3', '__proto__', undefined],
    ])('refuses the unknown option in %s and names the nearest', async (query, option, nearest) => {
      const problem = await refusal(picture, { query });
      expect(problem).toMatchObject({ status: 400, reason: 'OPTION_UNKNOWN', metadata: { option } });
      expect(problem.metadata.nearest).toBe(nearest);
      expect(problem.detail).toContain(
        'The options are page, dpi, page_box, annotations, scale, width, height',
      );
    });

    it('refuses an unknown field of a form and of JSON', async () => {
      expect(await refusal(form(['image', file], ['colour', 'red']))).toMatchObject({
        reason: 'OPTION_UNKNOWN',
        metadata: { option: 'colour' },
      });
      const body = JSON.stringify({ url: 'https://example.com/a', colour: 'red' });
      expect(await refusal(body, { contentType: 'application/json' })).toMatchObject({
        reason: 'OPTION_UNKNOWN',
      });
    });

    it('refuses an option that is given twice', async () => {
      const list = form(['image', file], ['format', 'npy'], ['mean', '0.5']);
      expect(await refusal(list, { query: '?mean=0.4' })).toMatchObject({
        reason: 'OPTION_INVALID',
        metadata: { option: 'mean', actual: '0.4, 0.5' },
      });
      expect(await refusal(picture, { query: '?width=3&width=4' })).toMatchObject({
        reason: 'OPTION_INVALID',
        detail: 'width is given twice; give it once.',
        metadata: { option: 'width', actual: '3, 4' },
      });
      expect(await refusal(form(['image', file], ['width', '3']), { query: '?width=3' })).toMatchObject({
        reason: 'OPTION_INVALID',
        metadata: { option: 'width' },
      });
    });
  });
});
