import { hash } from 'node:crypto';
import { GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { CacheState, ProcessorService, Store } from '../../gen/image/v1/processor_pb.ts';
import { parseObjectUrl } from '../../src/object-storage/object-address.ts';
import { encoded, photoLike } from '../support/pictures.ts';
import { type S3Server, startS3 } from '../support/s3.ts';
import { type FaultProxy, startFaultProxy } from '../support/s3-faults.ts';
import { type Service, startService } from '../support/service.ts';
import { s3Program } from '../support/tools.ts';

const unquoted = (header: string | null) => header?.slice(1, -1) ?? '';

describe.skipIf(s3Program === undefined)('responses in object storage', () => {
  let server: S3Server;
  let proxy: FaultProxy;
  let photo: Uint8Array<ArrayBuffer>;
  let service: Service;

  beforeAll(async () => {
    server = await startS3();
    await server.createBucket('kept');
    proxy = await startFaultProxy(server.endpoint);
    photo = Uint8Array.from(await encoded(photoLike(160, 100), 'jpeg'));
    service = await startService({
      processor: {
        ...server.environment,
        S3_ENDPOINT: proxy.endpoint,
        STORE_URL: 's3://kept/all',
        STORE_SOURCES: 'true',
        // A response that is not in object storage is computed again.
        CACHE_MAX_BYTES: '0',
        WORKERS: '1',
      },
    });
  });
  beforeEach(() => {
    proxy.faults.length = 0;
    proxy.decide = () => undefined;
  });
  afterAll(async () => {
    await service?.stop();
    await proxy?.[Symbol.asyncDispose]();
    await server?.[Symbol.asyncDispose]();
  });

  const post = (query: string) => fetch(`${service.url}/v1/images?${query}`, { method: 'POST', body: photo });
  const bytesAt = async (uri: string) => {
    const { bucket, key } = parseObjectUrl(uri);
    const object = await server.client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
    return Buffer.from((await object.Body?.transformToByteArray()) ?? []);
  };
  const keysBelow = async (prefix: string) => {
    const { Contents = [] } = await server.client.send(
      new ListObjectsV2Command({ Bucket: 'kept', Prefix: prefix }),
    );
    return Contents.map(({ Key }) => Key ?? '');
  };

  test('each response says where it is kept, and equal requests are responded to from there', async () => {
    for (const query of ['width=40', 'width=40&format=webp', 'width=40&format=npy', 'preset=resnet-50']) {
      const response = await post(`${query}&store=wait&store_link=60`);
      const body = Buffer.from(await response.arrayBuffer());
      const uri = unquoted(response.headers.get('image-stored'));
      expect(uri).toContain(unquoted(response.headers.get('etag')));
      expect((await bytesAt(uri)).equals(body)).toBe(true);
      const link = await fetch(unquoted(response.headers.get('image-stored-link')));
      expect(link.headers.get('content-type')).toBe(response.headers.get('content-type'));
      expect(Buffer.from(await link.arrayBuffer()).equals(body)).toBe(true);
      const again = await post(query);
      expect(again.headers.get('cache-status')).toBe('image-processor; hit; detail=store');
      expect(again.headers.get('image-source')).toBe(response.headers.get('image-source'));
      expect(Buffer.from(await again.arrayBuffer()).equals(body)).toBe(true);
    }
    const sha256 = hash('sha256', photo);
    expect(await keysBelow('all/sources/')).toEqual([`all/sources/${sha256.slice(0, 2)}/${sha256}`]);
  });

  test('gRPC has the URI and the link in single responses, variants, batches and streams', async () => {
    const client = createClient(
      ProcessorService,
      createGrpcTransport({ baseUrl: `http://${service.address}` }),
    );
    const source = { case: 'content', value: photo } as const;
    const store = { store: Store.WAIT, linkSeconds: 60 };
    const tensor = { output: { case: 'tensor', value: {} } } as const;
    expect((await client.process({ source, store: { store: Store.NO } })).storedUri).toBe('');
    const one = await client.process({ source, resize: { width: 20 }, store });
    expect((await bytesAt(one.storedUri)).equals(Buffer.from(one.content))).toBe(true);
    expect(one.storedLink).toMatch(/^http.*X-Amz-Signature=/);
    const { variants } = await client.processVariants({
      source,
      variants: [{ store }, { grayscale: true, store: { store: Store.NO } }],
    });
    expect(variants.map(({ storedUri }) => storedUri !== '')).toEqual([true, false]);
    const { images } = await client.processBatch({
      requests: [
        { source, store, ...tensor },
        { source, store, ...tensor },
      ],
    });
    expect(new Set(images.map(({ storedUri }) => storedUri)).size).toBe(1);
    expect(images[0]?.storedUri).toMatch(/^s3:\/\/kept\/all\/.*\.bin$/);
    expect(one.cache).toBe(CacheState.MISS);
    expect((await client.process({ source, resize: { width: 20 } })).cache).toBe(CacheState.HIT_STORE);
  });

  test('a storage that fails does not fail responses, but those that wait for it', async () => {
    let turn = 0;
    const faults = [
      'reset',
      { code: 'SlowDown', status: 503 },
      'silence',
      { code: 'AccessDenied', status: 403 },
    ] as const;
    proxy.decide = () => faults[turn++ % faults.length];
    const statuses = await Promise.all(
      Array.from({ length: 60 }, async (_, index) => (await post(`width=${index + 10}`)).status),
    );
    expect(statuses.filter((status) => status !== 200)).toEqual([]);
    proxy.decide = () => ({ code: 'AccessDenied', status: 403 });
    const waiting = await post('width=9&store=wait');
    expect([waiting.status, await waiting.json()]).toMatchObject([
      502,
      { reason: 'STORAGE_FAILED', metadata: { problem: 'DENIED' } },
    ]);
    proxy.decide = () => undefined;
  });

  test('responses that wait to be kept are kept before the process ends', async () => {
    proxy.decide = ({ method }) => (method === 'PUT' ? { delayMs: 100 } : undefined);
    const uris = await Promise.all(
      Array.from({ length: 40 }, async (_, index) => {
        const response = await post(`height=${index + 10}`);
        await response.arrayBuffer();
        return unquoted(response.headers.get('image-stored'));
      }),
    );
    expect(await service.stop()).toEqual({ api: 0, processor: 0 });
    const keys = new Set(await keysBelow('all/v3'));
    expect(uris.filter((uri) => !keys.has(parseObjectUrl(uri).key))).toEqual([]);
  });
});
