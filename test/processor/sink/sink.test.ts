import { hash, randomBytes } from 'node:crypto';
import { DeleteObjectCommand, GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { create, toBinary } from '@bufbuild/protobuf';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import {
  ImageFormat,
  type ProcessResponse,
  ProcessResponseSchema,
  Store,
  StoreOptionsSchema,
} from '../../../gen/image/v1/processor_pb.ts';
import { parseObjectUrl } from '../../../src/object-storage/object-address.ts';
import { openObjectStorage } from '../../../src/object-storage/object-storage.ts';
import type { Plan } from '../../../src/processor/image/plan.ts';
import { numericsVersions } from '../../../src/processor/image/provenance.ts';
import { createSink, type SinkOptions } from '../../../src/processor/sink/sink.ts';
import { createStoreTier } from '../../../src/processor/sink/store-tier.ts';
import { failureOfPromise } from '../../support/failure.ts';
import { type FaultyS3, startFaultyS3 } from '../../support/faulty-s3.ts';
import type { S3Server } from '../../support/s3.ts';
import type { FaultProxy } from '../../support/s3-faults.ts';
import { s3Program } from '../../support/tools.ts';

const nobodyLeaves = new AbortController().signal;
const store = { bucket: 'kept', prefix: 'all' };
const wait = create(StoreOptionsSchema, { store: Store.WAIT });
const plan = { numerics: 'pillow', output: { kind: 'tensor', container: 'npy' } } as unknown as Plan;

function responseOf(text: string, more: Partial<ProcessResponse> = {}): ProcessResponse {
  return create(ProcessResponseSchema, {
    content: Buffer.from(`content of ${text}`),
    contentType: 'application/x-npy',
    width: 4,
    height: 3,
    key: hash('sha256', text),
    source: { format: ImageFormat.JPEG, width: 40, height: 30, sha256: hash('sha256', 'source'), bytes: 6n },
    provenance: { numericsVersion: numericsVersions.pillow, libraries: { sharp: '1' }, decisions: ['ü=…'] },
    tensors: [{ name: 'image', datatype: 'FP32', shape: [1n, 3n], bytes: 12n }],
    tokens: 5n,
    ...(more as object),
  });
}

const asStored = (response: ProcessResponse) =>
  Buffer.from(
    toBinary(
      ProcessResponseSchema,
      Object.assign(create(ProcessResponseSchema), response, {
        cache: 0,
        stages: [],
        storedUri: '',
        storedLink: '',
      }),
    ),
  ).toString('hex');

describe.skipIf(s3Program === undefined)('the sink', () => {
  let s3: FaultyS3;
  let server: S3Server;
  let proxy: FaultProxy;

  beforeAll(async () => {
    s3 = await startFaultyS3();
    ({ server, proxy } = s3);
    await server.createBucket('kept');
  });
  beforeEach(() => {
    proxy.faults.length = 0;
    proxy.decide = () => undefined;
  });
  afterAll(async () => {
    await s3?.[Symbol.asyncDispose]();
  });

  function start(options: Partial<SinkOptions> = {}) {
    const outcomes: Record<string, number> = {};
    const errors: unknown[] = [];
    const storage = openObjectStorage({ endpoint: proxy.endpoint, forcePathStyle: true });
    const onError = (error: unknown) => void errors.push(error);
    const sink = createSink({
      storage,
      store,
      mode: 'all',
      keepsSources: false,
      maxLinkSeconds: 60,
      maxWaiting: 1000,
      maxWaitingBytes: 10_000_000,
      onOutcome: (outcome) => {
        outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
      },
      onError,
      ...options,
    });
    const tier = () => createStoreTier({ storage, store, sink, onError });
    onTestFinished(async () => {
      await sink.drain(0);
      storage.close();
    });
    const keep = (response: ProcessResponse, wanted?: typeof wait, source?: Uint8Array) =>
      sink.keep(
        response,
        wanted,
        source && { sha256: hash('sha256', source), content: source },
        nobodyLeaves,
      );
    return { sink, tier, keep, outcomes, errors };
  }

  const objectAt = async (uri: string) => {
    const { bucket, key } = parseObjectUrl(uri);
    const object = await server.client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
    return { ...object, content: Buffer.from((await object.Body?.transformToByteArray()) ?? []) };
  };

  test('a response is an object of its key, with its type and its provenance, and reads back as it was', async () => {
    const { keep, tier, outcomes } = start();
    const response = responseOf('one');
    const sent = asStored(response);
    const { storedUri } = await keep(response, wait);
    expect(storedUri).toBe(`s3://kept/all/v3-pillow-13.0/${response.key.slice(0, 2)}/${response.key}.npy`);
    const object = await objectAt(storedUri);
    expect(object.content.toString()).toBe('content of one');
    expect(object.ContentType).toBe('application/x-npy');
    expect(JSON.parse(object.Metadata?.['image-response'] ?? '')).toMatchObject({
      key: response.key,
      provenance: { decisions: ['ü=…'] },
      source: { sha256: hash('sha256', 'source') },
    });
    const entry = await tier().get(response.key, plan);
    expect(Buffer.from(entry?.value ?? []).toString('hex')).toBe(sent);
    await keep(responseOf('one'), wait);
    expect(outcomes).toEqual({ written: 1 });
  });

  test('what another processor has stored is present', async () => {
    await start().keep(responseOf('twice'), wait);
    const other = start();
    expect((await other.keep(responseOf('twice'), wait)).storedUri).not.toBe('');
    expect(other.outcomes).toEqual({ present: 1 });
  });

  test('provenance that is too long for metadata is an object beside it', async () => {
    const { keep, tier } = start();
    const decisions = Array.from({ length: 300 }, (_, index) => `decision ${index}=é`);
    const response = responseOf('long', {
      provenance: { numericsVersion: numericsVersions.pillow, libraries: {}, decisions } as never,
    });
    const sent = asStored(response);
    const { storedUri } = await keep(response, wait);
    expect(JSON.parse((await objectAt(`${storedUri}.json`)).content.toString())).toMatchObject({
      provenance: { decisions },
    });
    expect(Buffer.from((await tier().get(response.key, plan))?.value ?? []).toString('hex')).toBe(sent);
    await server.client.send(
      new DeleteObjectCommand({ Bucket: 'kept', Key: `${parseObjectUrl(storedUri).key}.json` }),
    );
    expect(await tier().get(response.key, plan)).toBeUndefined();
  });

  test('nobody waits, and the bytes are copied before the response goes on', async () => {
    const { keep, sink, outcomes } = start({ keepsSources: true });
    proxy.decide = () => ({ delayMs: 100 });
    const source = randomBytes(1000);
    const sourceSha256 = hash('sha256', source);
    const response = responseOf('copy');
    const { storedUri } = await keep(response, undefined, source);
    expect(outcomes).toEqual({});
    response.content.fill(0);
    source.fill(0);
    await sink.drain(10_000);
    expect(outcomes).toEqual({ written: 2 });
    expect((await objectAt(storedUri)).content.toString()).toBe('content of copy');
    const stored = await objectAt(`s3://kept/all/sources/${sourceSha256.slice(0, 2)}/${sourceSha256}`);
    expect(hash('sha256', stored.content)).toBe(sourceSha256);
    expect(stored.ContentType).toBe('image/jpeg');
  });

  test('only responses that are to be kept are kept', async () => {
    const all = start();
    const no = create(StoreOptionsSchema, { store: Store.NO });
    expect((await all.keep(responseOf('no'), no)).storedUri).toBe('');
    const asked = start({ mode: 'asked' });
    expect((await asked.keep(responseOf('no'))).storedUri).toBe('');
    const yes = create(StoreOptionsSchema, { store: Store.YES });
    expect((await asked.keep(responseOf('yes'), yes)).storedUri).not.toBe('');
    await asked.sink.drain(10_000);
    expect([all.outcomes, asked.outcomes]).toEqual([{}, { written: 1 }]);
  });

  test('a link gives the object, for no longer than allowed', async () => {
    const { keep } = start();
    const wanted = create(StoreOptionsSchema, { store: Store.WAIT, linkSeconds: 100_000 });
    const { storedLink } = await keep(responseOf('link'), wanted);
    expect(new URL(storedLink).searchParams.get('X-Amz-Expires')).toBe('60');
    expect(await (await fetch(storedLink)).text()).toBe('content of link');
    const none = start({ maxLinkSeconds: 0 });
    expect((await none.keep(responseOf('link'), wanted)).storedLink).toBe('');
  });

  test('an object that is damaged, copied or of another program is not read, and is replaced', async () => {
    const { keep, tier, errors } = start();
    const [one, two] = [responseOf('damage'), responseOf('other')];
    const sent = asStored(one);
    const [{ storedUri }, other] = [await keep(one, wait), await keep(two, wait)];
    const [good, foreign] = [await objectAt(storedUri), await objectAt(other.storedUri)];
    const { key } = parseObjectUrl(storedUri);
    const json = good.Metadata?.['image-response'] ?? '';
    for (const [content, metadata] of [
      [Buffer.from('content of xxxxxx'), good.Metadata],
      [foreign.content, foreign.Metadata],
      [foreign.content, good.Metadata],
      [good.content, { ...good.Metadata, 'image-response': json.replace('"width":4', '"width":5') }],
      [good.content, {}],
      [Buffer.alloc(0), good.Metadata],
    ] as const) {
      await server.client.send(
        new PutObjectCommand({ Bucket: 'kept', Key: key, Body: content, Metadata: { ...metadata } }),
      );
      const before = errors.length;
      expect(await tier().get(one.key, plan)).toBeUndefined();
      expect(errors).toHaveLength(before + 1);
    }
    await keep(responseOf('damage'), wait);
    expect(Buffer.from((await tier().get(one.key, plan))?.value ?? []).toString('hex')).toBe(sent);
  });

  test('no room in the queue drops what comes later, and says so', async () => {
    const { keep, sink, outcomes } = start({ maxWaiting: 3 });
    proxy.decide = () => ({ delayMs: 50 });
    const kept = await Promise.all(['a', 'b', 'c', 'd', 'e'].map((name) => keep(responseOf(`room ${name}`))));
    expect(kept.map(({ storedUri }) => storedUri !== '')).toEqual([true, true, true, false, false]);
    expect(sink.queue.waiting).toBe(3);
    await sink.drain(10_000);
    expect(outcomes).toEqual({ full: 2, written: 3 });
    const small = start({ maxWaitingBytes: 10 });
    expect((await small.keep(responseOf('bytes'))).storedUri).toBe('');
  });

  test('a storage that fails for a while delays objects, not responses', async () => {
    const { keep, sink, outcomes } = start();
    const until = Date.now() + 1500;
    proxy.decide = () => (Date.now() < until ? { code: 'SlowDown', status: 503 } : undefined);
    for (let index = 0; index < 50; index++) await keep(responseOf(`outage ${index}`));
    expect(Date.now()).toBeLessThan(until + 60_000);
    await sink.drain(30_000);
    expect(outcomes).toEqual({ written: 50 });
  });

  test('a response that waits fails with the reason; one that does not is sent', async () => {
    const { keep, outcomes } = start({ store: { bucket: 'nowhere', prefix: '' } });
    expect(await failureOfPromise(keep(responseOf('fails'), wait))).toMatchObject({
      reason: 'STORAGE_FAILED',
      isRetryable: false,
      metadata: { problem: 'BUCKET_MISSING' },
    });
    expect((await keep(responseOf('fails'))).storedUri).not.toBe('');
    expect(outcomes.failed).toBe(1);
  });

  test('what is left at the end is counted', async () => {
    const { keep, sink, outcomes } = start();
    proxy.decide = () => 'silence';
    await keep(responseOf('late'));
    await sink.drain(50);
    await vi.waitFor(() => expect(outcomes).toEqual({ late: 1 }));
    expect((await keep(responseOf('later'))).storedUri).toBe('');
  });

  test('a tier without its storage is a miss', async () => {
    const { tier, errors } = start();
    const silent = tier();
    proxy.decide = () => ({ code: 'AccessDenied', status: 403 });
    expect(await silent.get(hash('sha256', 'x'), plan)).toBeUndefined();
    expect(await silent.get(hash('sha256', 'y'), plan)).toBeUndefined();
    expect(errors).toHaveLength(1);
  });

  test('under load and faults no key has the bytes of another', async () => {
    const { keep, sink, tier } = start({ maxWaiting: 10_000 });
    let turn = 0;
    proxy.decide = () => {
      turn++;
      if (turn % 11 === 0) return 'reset';
      if (turn % 13 === 0) return 'lost response';
      return turn % 17 === 0 ? { code: 'SlowDown', status: 503 } : undefined;
    };
    const names = Array.from({ length: 300 }, (_, index) => `load ${index}`);
    // Each response reuses one buffer, as a pool would.
    const pool = Buffer.alloc(100);
    for (const name of names) {
      pool.fill(0).write(`content of ${name}`);
      const response = responseOf(name);
      response.content = pool.subarray(0, response.content.length);
      await keep(response);
    }
    await sink.drain(60_000);
    proxy.decide = () => undefined;
    const reader = tier();
    const wrong: string[] = [];
    for (const name of names) {
      const response = responseOf(name);
      const entry = await reader.get(response.key, plan);
      if (Buffer.from(entry?.value ?? []).toString('hex') !== asStored(response)) wrong.push(name);
    }
    expect(wrong).toEqual([]);
  });
});
