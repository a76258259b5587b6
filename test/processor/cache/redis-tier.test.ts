import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { inspect } from 'node:util';
import { createClient } from '@redis/client';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createRedisTier } from '../../../src/processor/cache/redis-tier.ts';
import { findFreePort, type RedisServer, startRedis } from '../../support/redis.ts';
import { redisServer } from '../../support/tools.ts';

const bytes = (length: number, fill = 1) => new Uint8Array(length).fill(fill);

/** A tier with long timeouts by default, and its errors. It is closed at the end of the test. */
function openTier(options: Partial<Parameters<typeof createRedisTier>[0]> & { url: string }) {
  const errors: Error[] = [];
  const tier = createRedisTier({
    pauseMs: 20,
    timeoutMs: 5000,
    onError: (error) => errors.push(error),
    ...options,
  });
  onTestFinished(() => tier.close());
  return { tier, errors };
}

type Tier = ReturnType<typeof openTier>['tier'];

/** Sets and gets until the value is returned, which means that the connection works. */
async function untilUsed(tier: Tier, key = 'probe') {
  await vi.waitFor(
    async () => {
      await tier.set(key, bytes(1));
      expect(await tier.get(key)).toBeDefined();
    },
    { timeout: 10_000 },
  );
}

/** A plain client of the same Redis, to inspect what the tier has stored. */
async function connectPlainly(server: RedisServer) {
  const client = await createClient({ url: server.url, RESP: 2 })
    .on('error', () => {})
    .connect();
  onTestFinished(() => client.destroy());
  return client;
}

/** Makes Redis refuse all writes, as a full one does. */
const full = { 'maxmemory-policy': 'noeviction', maxmemory: '1' };

describe.skipIf(redisServer === undefined)('createRedisTier, with a redis-server', () => {
  it('returns the values that were set, including empty and large ones', async () => {
    await using server = await startRedis();
    const { tier, errors } = openTier({ url: server.url });
    await untilUsed(tier);
    const large = bytes(3_000_000, 9);
    await tier.set('empty', bytes(0));
    await tier.set('large', large);
    expect((await tier.get('empty'))?.value).toHaveLength(0);
    expect(Buffer.from((await tier.get('large'))?.value ?? []).equals(large)).toBe(true);
    expect(await tier.get('never set')).toBeUndefined();
    expect(errors).toEqual([]);
  });

  it('prefixes the keys and gives every value a time to live', async () => {
    await using server = await startRedis();
    const { tier } = openTier({ url: server.url, keyPrefix: 'p:', ttlMs: 60_000 });
    await untilUsed(tier, 'a');
    await tier.set('b', bytes(1), 5000);
    const client = await connectPlainly(server);
    expect((await client.keys('*')).sort()).toEqual(['p:a', 'p:b']);
    expect(await client.pTTL('p:a')).toBeGreaterThan(5000);
    expect(await client.pTTL('p:b')).toBeLessThanOrEqual(5000);
    expect((await tier.get('b'))?.ttlMs).toBeLessThanOrEqual(5000);
  });

  it('uses credentials and database of the URL', async () => {
    await using server = await startRedis({ parameters: ['--requirepass', 'p@ss'] });
    const { tier } = openTier({ url: `redis://:p%40ss@127.0.0.1:${server.port}/3` });
    await untilUsed(tier);
  });

  it('misses while Redis does not run, and uses it once it does', async () => {
    const port = await findFreePort();
    // A name with two addresses fails twice.
    const { tier, errors } = openTier({ url: `redis://localhost:${port}` });
    await tier.set('a', bytes(1));
    expect(await tier.get('a')).toBeUndefined();
    await vi.waitFor(() => expect(errors.length).toBeGreaterThan(1));
    expect(errors[0]?.message).toContain('ECONNREFUSED');
    await using _server = await startRedis({ port });
    await untilUsed(tier);
  });

  it('misses when Redis is killed, and uses it again when it is back', async () => {
    await using first = await startRedis();
    const { tier, errors } = openTier({ url: first.url });
    await untilUsed(tier, 'a');
    await first.stop();
    await tier.set('a', bytes(1));
    expect(await tier.get('a')).toBeUndefined();
    await vi.waitFor(() => expect(errors.length).toBeGreaterThan(0));
    await using _second = await startRedis({ port: first.port });
    await untilUsed(tier, 'a');
  });

  it('misses when Redis is frozen, reports it once, and uses it again when it thaws', async () => {
    await using server = await startRedis();
    const { tier, errors } = openTier({ url: server.url, timeoutMs: 100, connectTimeoutMs: 200 });
    await untilUsed(tier, 'a');
    errors.length = 0;
    server.freeze();
    const replies = await Promise.all([
      ...Array.from({ length: 300 }, () => tier.get('a')),
      ...Array.from({ length: 300 }, () => tier.set('b', bytes(100))),
    ]);
    expect(replies.every((reply) => reply === undefined)).toBe(true);
    expect(errors.map((error) => error.message)).toEqual(['no reply within 100 ms']);
    // The kernel accepts the next connection, but nothing replies on it; no request waits for it.
    await vi.waitFor(() => expect(errors.at(-1)?.message).toBe('no connection within 200 ms'));
    server.thaw();
    await untilUsed(tier, 'a');
  });

  it('closes while Redis is frozen', async () => {
    await using server = await startRedis();
    const { tier } = openTier({ url: server.url, timeoutMs: 100 });
    await untilUsed(tier);
    server.freeze();
    const pending = tier.get('a');
    await tier.close();
    expect(await pending).toBeUndefined();
    expect(await tier.get('a')).toBeUndefined();
  });

  it('delivers what was set before it closes', async () => {
    await using server = await startRedis();
    const { tier } = openTier({ url: server.url });
    await untilUsed(tier);
    void tier.set('last', bytes(1));
    await tier.close();
    const client = await connectPlainly(server);
    expect(await client.exists('image:v1:last')).toBe(1);
  });

  it('does not mistake a long task of its own process for a silent Redis', async () => {
    await using server = await startRedis();
    const { tier, errors } = openTier({ url: server.url, timeoutMs: 100 });
    await untilUsed(tier, 'a');
    errors.length = 0;
    const pending = tier.get('a');
    // The command has been sent. When the task ends the time is over, but the reply is in the socket.
    await new Promise((resolve) => setImmediate(resolve));
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500);
    expect(await pending).toBeDefined();
    expect(errors).toEqual([]);
  });

  it('sends no more commands when a thousand callers already wait for Redis', async () => {
    await using server = await startRedis();
    const { tier } = openTier({ url: server.url, timeoutMs: 10_000 });
    await untilUsed(tier, 'a');
    server.freeze();
    let replied = 0;
    const replies = Array.from({ length: 1500 }, async () => {
      const entry = await tier.get('a');
      replied += 1;
      return entry;
    });
    await vi.waitFor(() => expect(replied).toBe(476));
    server.thaw();
    const entries = await Promise.all(replies);
    expect(entries.filter((entry) => entry !== undefined)).toHaveLength(1024);
  });

  it('drops values while 64 MiB are being sent to Redis', async () => {
    await using server = await startRedis();
    const { tier } = openTier({ url: server.url, timeoutMs: 10_000 });
    await untilUsed(tier);
    server.freeze();
    const value = bytes(16 * 2 ** 20);
    const sent = ['a', 'b', 'c', 'd', 'e'].map((key) => tier.set(key, value));
    server.thaw();
    await Promise.all(sent);
    const client = await connectPlainly(server);
    expect((await client.keys('*')).sort()).toEqual(
      ['a', 'b', 'c', 'd', 'probe'].map((key) => `image:v1:${key}`),
    );
  });

  it('does not send a value that has no time left', async () => {
    await using server = await startRedis();
    const { tier, errors } = openTier({ url: server.url });
    await untilUsed(tier);
    await tier.set('a', bytes(1), 0);
    expect(await tier.get('a')).toBeUndefined();
    expect(errors).toEqual([]);
  });

  it('drops values and continues reading when Redis is full', async () => {
    await using server = await startRedis();
    const { tier, errors } = openTier({ url: server.url, pauseMs: 60_000 });
    await untilUsed(tier, 'a');
    const client = await connectPlainly(server);
    await client.configSet(full);
    await client.configResetStat();
    for (let count = 0; count < 20; count += 1) await tier.set('b', bytes(100_000));
    expect(await tier.get('b')).toBeUndefined();
    expect(await tier.get('a')).toBeDefined();
    expect(errors.map((error) => error.message)).toEqual([expect.stringMatching(/^OOM /)]);
    // One was refused; for the rest of the pause Redis got no writes.
    expect(await client.info('stats')).toContain('total_error_replies:1\r\n');
  });

  it('writes again when the pause after a refusal is over', async () => {
    await using server = await startRedis();
    let now = 0;
    const { tier } = openTier({ url: server.url, pauseMs: 1000, clock: { now: () => now } });
    await untilUsed(tier, 'a');
    const client = await connectPlainly(server);
    await client.configSet(full);
    await tier.set('b', bytes(1));
    await client.configSet('maxmemory', '0');
    now = 999;
    await tier.set('b', bytes(1));
    expect(await tier.get('b')).toBeUndefined();
    now = 1000;
    await tier.set('b', bytes(1));
    expect(await tier.get('b')).toBeDefined();
  });

  it('pauses requests to a Redis that accepts the connection and then refuses to read', async () => {
    await using server = await startRedis();
    const client = await connectPlainly(server);
    await client.sendCommand(['ACL', 'SETUSER', 'writer', 'on', '>secret', '~*', '+@all', '-getrange']);
    const { tier, errors } = openTier({
      url: `redis://writer:secret@127.0.0.1:${server.port}`,
      pauseMs: 60_000,
    });
    await vi.waitFor(async () => {
      await tier.set('a', bytes(1));
      expect(await client.exists('image:v1:a')).toBe(1);
    });
    await client.configResetStat();
    for (let count = 0; count < 20; count += 1) expect(await tier.get('a')).toBeUndefined();
    expect(errors.map((error) => error.message)).toEqual([expect.stringMatching(/^NOPERM /)]);
    expect(await client.info('stats')).toContain('total_error_replies:1\r\n');
  });

  it('treats a wrong password as a missing Redis, and does not reveal the password', async () => {
    await using server = await startRedis({ parameters: ['--requirepass', 'right'] });
    const { tier, errors } = openTier({ url: `redis://:wr%40ng@127.0.0.1:${server.port}` });
    await vi.waitFor(() => expect(errors.length).toBeGreaterThan(1));
    expect(errors[0]?.message).toMatch(/^WRONGPASS /);
    expect(await tier.get('a')).toBeUndefined();
    expect(inspect(errors, { depth: null, showHidden: true })).not.toMatch(/wr(@|%40)ng/);
  });

  it('misses when Redis requires a password and none is set', async () => {
    await using server = await startRedis({ parameters: ['--requirepass', 'right'] });
    const { tier, errors } = openTier({ url: server.url });
    await vi.waitFor(async () => {
      expect(await tier.get('a')).toBeUndefined();
      expect(errors[0]?.message).toMatch(/^NOAUTH /);
    });
  });

  it('treats garbage under its keys as a miss and overwrites it', async () => {
    await using server = await startRedis();
    const { tier, errors } = openTier({ url: server.url, pauseMs: 60_000 });
    await untilUsed(tier, 'good');
    const client = await connectPlainly(server);
    await client.set('image:v1:text', 'hello');
    await client.set('image:v1:empty', '');
    await client.rPush('image:v1:list', ['a', 'b']);
    await client.copy('image:v1:good', 'image:v1:copied');
    await client.copy('image:v1:good', 'image:v1:good2');
    await client.sendCommand(['SETRANGE', 'image:v1:good', '8', 'x']);
    for (const key of ['text', 'empty', 'list', 'copied', 'good']) {
      expect(await tier.get(key)).toBeUndefined();
      await tier.set(key, bytes(3, 5));
      expect([...((await tier.get(key))?.value ?? [])]).toEqual([5, 5, 5]);
    }
    // Five were requested in one pause.
    expect(errors).toHaveLength(1);
  });

  it('does not load a huge value that another program left under its key', async () => {
    await using server = await startRedis();
    const { tier } = openTier({ url: server.url, maxValueBytes: 1000 });
    await untilUsed(tier, 'a');
    const client = await connectPlainly(server);
    await client.sendCommand(['SETRANGE', 'image:v1:giant', '50000000', 'x']);
    await client.configResetStat();
    expect(await tier.get('giant')).toBeUndefined();
    const sent = /total_net_output_bytes:(\d+)/.exec(await client.info('stats'))?.[1];
    expect(Number(sent)).toBeLessThan(2000);
  });

  it('sends no value over the limit', async () => {
    await using server = await startRedis();
    const { tier, errors } = openTier({ url: server.url, maxValueBytes: 1000 });
    await untilUsed(tier);
    await tier.set('fits', bytes(1000));
    await tier.set('large', bytes(1001));
    expect((await tier.get('fits'))?.value).toHaveLength(1000);
    expect(await tier.get('large')).toBeUndefined();
    expect(errors).toEqual([]);
  });
});

describe(createRedisTier, () => {
  it('misses when another program listens on the port', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
    }).listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    await once(server, 'listening');
    const { tier, errors } = openTier({
      url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    });
    await vi.waitFor(() => expect(errors.length).toBeGreaterThan(1));
    expect(await tier.get('a')).toBeUndefined();
  });

  it('does not reveal a password that a server repeats', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.on('data', () =>
        socket.write("-ERR unknown command 'AUTH', with args: 's@cret' 's%40cret'\r\n"),
      );
    }).listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const { errors } = openTier({ url: `redis://:s%40cret@127.0.0.1:${port}` });
    await vi.waitFor(() => expect(errors.length).toBeGreaterThan(0));
    expect(errors[0]?.message).toBe("ERR unknown command 'AUTH', with args: '…' '…'");
  });

  it.each(['no url', 'http://:secret@host', 'redis://:secret@host:99999', 'redis://:secret@host/database'])(
    'refuses %s at the start, without repeating the password',
    (url) => {
      let thrown: unknown;
      try {
        createRedisTier({ url, onError: () => {} });
      } catch (error) {
        thrown = error;
      }
      expect(inspect(thrown, { showHidden: true })).toContain('The Redis URL is not valid');
      expect(inspect(thrown, { showHidden: true })).not.toContain('secret');
    },
  );
});
