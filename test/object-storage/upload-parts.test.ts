import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { AbortMultipartUploadCommand, ListMultipartUploadsCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { type ObjectStorage, openObjectStorage } from '../../src/object-storage/object-storage.ts';
import { uploadParts } from '../../src/object-storage/upload-parts.ts';
import { type FaultyS3, startFaultyS3 } from '../support/faulty-s3.ts';
import { longContent, longFile, partBytes } from '../support/long-file.ts';
import type { Fault } from '../support/s3-faults.ts';
import { s3Program } from '../support/tools.ts';

const bucket = 'shards';
const at = (key: string) => ({ bucket, key });
const type = { contentType: 'application/x-tar', metadata: { sha256: 'of the whole' } };
const never = () => AbortSignal.timeout(20_000);

describe.skipIf(s3Program === undefined)(uploadParts, () => {
  let s3: FaultyS3;
  let storage: ObjectStorage;

  beforeAll(async () => {
    s3 = await startFaultyS3();
    storage = openObjectStorage({ endpoint: s3.proxy.endpoint, forcePathStyle: true, partBytes });
    await s3.server.createBucket(bucket);
  });
  beforeEach(() => {
    s3.proxy.decide = () => undefined;
  });
  afterAll(async () => {
    storage?.close();
    await s3?.[Symbol.asyncDispose]();
  });

  const write = (key: string, signal = never()) => storage.putIfAbsent(at(key), longFile(), type, signal);

  async function contentOf(key: string): Promise<Buffer> {
    return Buffer.from((await storage.read(at(key), {}, never()))?.content ?? []);
  }

  /** Uploads that are neither complete nor removed. */
  async function uploads() {
    const { Uploads = [] } = await s3.server.client.send(new ListMultipartUploadsCommand({ Bucket: bucket }));
    return Uploads;
  }

  /** The numbers of the parts that were sent for a key, in order. */
  const partsSent = (key: string) =>
    s3.proxy.requests
      .filter((line) => line.startsWith(`PUT /${bucket}/${key}?`))
      .map((line) => /partNumber=(\d+)/.exec(line)?.[1])
      .toSorted();

  /** Applies faults to the requests that match, one after another. */
  function failing(pattern: RegExp, ...faults: Fault[]): void {
    s3.proxy.decide = ({ method, url }) => (pattern.test(`${method} ${url}`) ? faults.shift() : undefined);
  }

  test('a long file comes back with its bytes, type and metadata, and is written once', async () => {
    expect(await write('whole')).toBe('written');
    expect(partsSent('whole')).toEqual(['1', '2', '3']);
    expect((await contentOf('whole')).equals(longContent)).toBe(true);
    expect(await storage.head(at('whole'), never())).toMatchObject({
      bytes: longContent.length,
      ...type,
      sha256: undefined,
    });
    expect(await write('whole')).toBe('present');
    expect(partsSent('whole')).toHaveLength(3);
  });

  test('a part that fails is sent again, and no other', async () => {
    const faults = new Map<string, Fault>([
      ['2', { code: 'SlowDown', status: 503 }],
      ['3', 'dropped upload'],
    ]);
    s3.proxy.decide = ({ url = '' }) => {
      const number = /partNumber=(\d+)/.exec(url)?.[1] ?? '';
      const fault = faults.get(number);
      faults.delete(number);
      return fault;
    };
    expect(await write('repeated')).toBe('written');
    expect(partsSent('repeated')).toEqual(['1', '2', '2', '3', '3']);
    expect((await contentOf('repeated')).equals(longContent)).toBe(true);
  });

  test.each<[string, RegExp, Fault, string]>([
    ['dropped parts', /partNumber=2/, 'dropped upload', 'DROPPED'],
    ['a denied part', /partNumber=3/, { code: 'AccessDenied', status: 403 }, 'DENIED'],
    ['a failing completion', /^POST .*uploadId=/, { code: 'InternalError', status: 500 }, 'BROKEN'],
    [
      'the end of the upload by the server',
      /^POST .*uploadId=/,
      { code: 'NoSuchUpload', status: 404 },
      'UPLOAD_MISSING',
    ],
  ])('neither an object nor an upload stays after %s', async (_, pattern, fault, problem) => {
    failing(pattern, fault, fault, fault);
    await expect(write('none')).rejects.toMatchObject({ problem });
    expect(await storage.head(at('none'), never())).toBeUndefined();
    expect(await uploads()).toEqual([]);
  });

  test('a file that changed after it was hashed is not written', async () => {
    const changed = { ...longFile(), sha256: Buffer.alloc(32) };
    await expect(storage.putIfAbsent(at('changed'), changed, type, never())).rejects.toMatchObject({
      problem: 'CORRUPT',
    });
    expect(await storage.head(at('changed'), never())).toBeUndefined();
    expect(await uploads()).toEqual([]);
  });

  test('an abort ends an upload with its own reason, and nothing of it stays', async () => {
    failing(/partNumber=2/, 'silence');
    const stop = new AbortController();
    const call = write('aborted', stop.signal);
    await vi.waitFor(() => expect(partsSent('aborted')).toContain('2'), { timeout: 10_000 });
    const reason = new Error('enough');
    stop.abort(reason);
    await expect(call).rejects.toBe(reason);
    expect(await uploads()).toEqual([]);
    expect(await storage.head(at('aborted'), never())).toBeUndefined();
  });

  test('of several writers of one key, one writes, and no upload stays', async () => {
    // None of them finds the object before it sends its parts.
    failing(/^HEAD/, ...Array<Fault>(4).fill({ code: '', status: 404 }));
    const results = await Promise.all(Array.from({ length: 4 }, () => write('once')));
    expect(results.toSorted()).toEqual(['present', 'present', 'present', 'written']);
    expect((await contentOf('once')).equals(longContent)).toBe(true);
    expect(await uploads()).toEqual([]);
  });

  test.each<[string, Fault]>([
    ['a completion whose response was lost', 'lost response'],
    ['a conflict with another writer', { code: 'ConditionalRequestConflict', status: 409 }],
  ])('%s costs an attempt, not the upload', async (name, fault) => {
    const key = name.replaceAll(' ', '-');
    failing(/^POST .*uploadId=/, fault);
    expect(await write(key)).toMatch(/^(?:written|present)$/);
    expect(partsSent(key)).toHaveLength(3);
    expect((await contentOf(key)).equals(longContent)).toBe(true);
  });

  test('an object is replaced in parts as well', async () => {
    await storage.put(at('replaced'), Buffer.from('before'), type, never());
    await storage.put(at('replaced'), longFile(), type, never());
    expect((await contentOf('replaced')).equals(longContent)).toBe(true);
  });

  test('a process killed midway makes no object, and the next one writes it', async () => {
    failing(/partNumber=3/, 'silence');
    const program = fileURLToPath(new URL('../support/upload-program.ts', import.meta.url));
    const child = spawn(process.execPath, [program, s3.proxy.endpoint, bucket, 'killed'], {
      stdio: 'inherit',
    });
    const exited = once(child, 'exit');
    await vi.waitFor(() => expect(partsSent('killed')).toEqual(['1', '2', '3']), { timeout: 20_000 });
    child.kill('SIGKILL');
    await exited;
    expect(await storage.head(at('killed'), never())).toBeUndefined();
    expect(await write('killed')).toBe('written');
    expect((await contentOf('killed')).equals(longContent)).toBe(true);
    // The bucket's own rules remove the parts of killed processes.
    const left = await uploads();
    expect(left.map(({ Key }) => Key)).toEqual(['killed']);
    for (const { Key, UploadId } of left) {
      await s3.server.client.send(new AbortMultipartUploadCommand({ Bucket: bucket, Key, UploadId }));
    }
  });
});
