import { readFileSync } from 'node:fs';
import { ConnectError, createClient } from '@connectrpc/connect';
import { createConnectTransport } from '@connectrpc/connect-node';
import { getMultipartBoundary, parseMultipart } from '@remix-run/multipart-parser';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ErrorInfoSchema } from '../../gen/google/rpc/error_details_pb.ts';
import { CacheState, Numerics, ProcessorService } from '../../gen/image/v1/processor_pb.ts';
import { encoded, photoLike } from '../support/pictures.ts';
import { type Service, startService } from '../support/service.ts';

const sample = new Uint8Array(readFileSync(new URL('../fixtures/sample.jpg', import.meta.url)));

let service: Service;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service?.stop());

const three = [
  { width: 320, height: 240 },
  { preset: 'clip-vit-base-patch32' },
  { width: 64, height: 64, format: 'png', grayscale: false },
];

function post(query: Readonly<Record<string, string>>, content: Uint8Array): Promise<Response> {
  return fetch(`${service.url}/v1/images?${new URLSearchParams(query)}`, {
    method: 'POST',
    body: content as Uint8Array<ArrayBuffer>,
    headers: { 'content-type': 'image/jpeg' },
  });
}

async function partsOf(response: Response) {
  const boundary = getMultipartBoundary(response.headers.get('content-type') ?? '') ?? '';
  const body = new Uint8Array(await response.arrayBuffer());
  return [...parseMultipart(body, { boundary })].map(({ headers, bytes }) => ({
    headers: new Headers(headers),
    bytes,
  }));
}

const client = () =>
  createClient(ProcessorService, createConnectTransport({ baseUrl: service.url, httpVersion: '1.1' }));

describe('variants over HTTP', () => {
  it('equal the responses of separate requests, and are cached as these', async () => {
    const response = await post({ variants: JSON.stringify(three) }, sample);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toMatch(/^multipart\/mixed; boundary=variant-/);
    const parts = await partsOf(response);
    expect(parts.map(({ headers }) => headers.get('content-type'))).toEqual([
      'image/jpeg',
      'application/x-npy',
      'image/png',
    ]);
    for (const [index, options] of three.entries()) {
      const texts = Object.entries(options).map(([name, value]): [string, string] => [name, String(value)]);
      const alone = await post(Object.fromEntries(texts), sample);
      expect(alone.headers.get('cache-status')).toContain('hit');
      expect(parts[index]?.headers.get('etag')).toBe(alone.headers.get('etag'));
      expect(parts[index]?.headers.get('image-width')).toBe(alone.headers.get('image-width'));
      const bytes = Buffer.from(await alone.arrayBuffer());
      expect(Buffer.from(parts[index]?.bytes ?? []).equals(bytes)).toBe(true);
    }
  });

  it('keep the shape of the image where only one side is given, as a separate request does', async () => {
    const parts = await partsOf(
      await post(
        { variants: JSON.stringify([{ width: 64 }, { height: 96 }, { width: 20, fit: 'cover' }]) },
        sample,
      ),
    );
    const sizes = parts.map(
      ({ headers }) => `${headers.get('image-width')} × ${headers.get('image-height')}`,
    );
    // Of 640 × 480.
    expect(sizes).toEqual(['64 × 48', '128 × 96', '20 × 15']);
    const alone = await post({ width: '64' }, sample);
    expect(alone.headers.get('etag')).toBe(parts[0]?.headers.get('etag'));
  });

  it('read options from the query, a form and JSON; the other options apply to all variants without their own', async () => {
    const variants = [{ width: 20, height: 10 }, { grayscale: true }];
    const form = new FormData();
    form.append('image', new Blob([sample]), 'a.jpg');
    form.append('variants', JSON.stringify(variants));
    form.append('grayscale', 'false');
    form.append('format', 'png');
    const url = `${service.url}/v1/images?width=30&height=15`;
    const response = await fetch(url, { method: 'POST', body: form });
    const parts = await partsOf(response);
    const sizes = parts.map(
      ({ headers }) => `${headers.get('image-width')} × ${headers.get('image-height')}`,
    );
    expect(sizes).toEqual(['20 × 10', '30 × 15']);
    // Colour type 2 is RGB, 0 gray: byte 25 of a PNG.
    expect(parts.map(({ bytes }) => bytes[25])).toEqual([2, 0]);
  });

  it.each([
    ['nothing', '[]', 'variants is not a JSON list of objects of options.'],
    ['no JSON', 'width=3', 'variants is not a JSON list of objects of options.'],
    ['numbers', '[3]', 'variants is not a JSON list of objects of options.'],
    [
      'a bad option',
      '[{}, {"width": 0}]',
      'Variant 1: width is "0"; allowed: a whole number from 1 to 65535.',
    ],
    ['an unknown one', '[{"widht": 3}]', 'Variant 0: There is no option "widht"; did you mean width?'],
    [
      'too many',
      JSON.stringify(Array.from({ length: 17 }, () => ({}))),
      'There are 17 variants; the limit is 16. Send several requests.',
    ],
  ])('refuse %s', async (_, variants, detail) => {
    const response = await post({ variants }, sample);
    expect(response.status).toBe(400);
    expect(((await response.json()) as { detail: string }).detail).toContain(detail);
  });

  it('fail together, by the index of the one that fails', async () => {
    const response = await post({ variants: '[{"width": 9}, {"preset": "no-such-model"}]' }, sample);
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ reason: 'PRESET_UNKNOWN', metadata: { index: '1' } });
  });

  it('of a URL have an entity tag that changes if any of them changes', async () => {
    const query = {
      variants: JSON.stringify([
        { width: 8, height: 8 },
        { width: 9, height: 9 },
      ]),
    };
    const first = await post(query, sample);
    const again = await post(query, sample);
    const other = await post({ variants: '[{"width": 8, "height": 8}]' }, sample);
    expect(first.headers.get('etag')).toMatch(/^"[0-9a-f]{64}"$/);
    expect(again.headers.get('etag')).toBe(first.headers.get('etag'));
    expect(other.headers.get('etag')).not.toBe(first.headers.get('etag'));
  });
});

describe('ProcessVariants', () => {
  const reasonOf = async (call: Promise<unknown>) => {
    const error = ConnectError.from(await call.catch((thrown: unknown) => thrown));
    return error.findDetails(ErrorInfoSchema)[0];
  };

  it('keeps the shape of the image where a side is 0', async () => {
    const { variants } = await client().processVariants({
      source: { case: 'content', value: sample },
      variants: [{ resize: { width: 64 } }, { resize: { height: 96 } }],
    });
    // Of 640 × 480.
    expect(variants.map(({ width, height }) => [width, height])).toEqual([
      [64, 48],
      [128, 96],
    ]);
  });

  it('computes the missing variants, and takes the rest from the cache', async () => {
    const value = await encoded(photoLike(400, 300), 'jpeg');
    const source = { case: 'content', value } as const;
    const size = (width: number) => ({ resize: { width, height: 50 } });
    await client().process({ source, ...size(60) });
    const { variants } = await client().processVariants({
      source,
      variants: [size(50), size(60), size(70), { ...size(80), numerics: Numerics.FAST }, size(50)],
    });
    expect(variants.map(({ width }) => width)).toEqual([50, 60, 70, 80, 50]);
    expect(variants.map(({ cache }) => cache)).toEqual([
      CacheState.MISS,
      CacheState.HIT_MEMORY,
      CacheState.MISS,
      CacheState.MISS,
      CacheState.SHARED,
    ]);
    expect(variants[2]?.stages.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['hash', 'header', 'queue', 'resize', 'encode']),
    );
    const alone = await client().process({ source, ...size(80), numerics: Numerics.FAST });
    expect(Buffer.from(alone.content).equals(variants[3]?.content ?? Buffer.of())).toBe(true);
  });

  it('refuses none, too many, and variants with sources of their own', async () => {
    const source = { case: 'content', value: sample } as const;
    expect(await reasonOf(client().processVariants({ source }))).toMatchObject({ reason: 'OPTION_INVALID' });
    const many = Array.from({ length: 17 }, () => ({}));
    expect(await reasonOf(client().processVariants({ source, variants: many }))).toMatchObject({
      reason: 'OPTION_INVALID',
      metadata: { limit: '16', actual: '17' },
    });
    expect(await reasonOf(client().processVariants({ source, variants: [{}, { source }] }))).toMatchObject({
      reason: 'OPTION_INVALID',
      metadata: { index: '1', option: 'source' },
    });
    expect(await reasonOf(client().processVariants({ variants: [{}] }))).toMatchObject({
      reason: 'SOURCE_MISSING',
    });
  });

  it('reads the source with the options of each variant', async () => {
    const source = { case: 'content', value: sample } as const;
    const { variants } = await client().processVariants({
      source,
      variants: [{}, { sourceOptions: { page: 1 } }],
    });
    expect(variants[1]?.key).toBe(variants[0]?.key);
    const second = { source, variants: [{}, { sourceOptions: { page: 2 } }] };
    expect(await reasonOf(client().processVariants(second))).toMatchObject({
      reason: 'OPTION_INVALID',
      metadata: { index: '1', option: 'source_options.page', actual: '2' },
    });
  });

  it('fails one variant by its index, and no other request for the others', async () => {
    const value = await encoded(photoLike(200, 100), 'jpeg');
    const source = { case: 'content', value } as const;
    const tooLarge = {
      resize: { width: 65_000, height: 1 },
      output: { case: 'image', value: { format: 3 } },
    } as const;
    const [failed, alone] = await Promise.allSettled([
      client().processVariants({ source, variants: [{ resize: { width: 31, height: 31 } }, tooLarge] }),
      client().process({ source, resize: { width: 31, height: 31 } }),
    ]);
    expect(failed.status).toBe('rejected');
    expect(await reasonOf(Promise.reject((failed as PromiseRejectedResult).reason))).toMatchObject({
      reason: 'OUTPUT_PIXELS_OVER_LIMIT',
      metadata: { index: '1' },
    });
    expect(alone.status).toBe('fulfilled');
  });
});
