import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from '@redis/client';
import { encoded, photoLike } from '../support/pictures.ts';
import { startRedis } from '../support/redis.ts';
import { redisServer } from '../support/tools.ts';
import { atLeast, exactly, type Figure, percentile, type Scenario, told } from './figures.ts';
import { failuresOf, type LoadRequest, loadFor, reasonsOf } from './load.ts';
import { type ServiceProcess, startMain } from './processes.ts';

const pictureCount = 40;
const lastsMs = 3000;

/** A Redis that dies, hangs, is full or holds garbage, with nothing in the processor's own memory to fall back on. */
export const redis: Scenario = {
  name: 'redis',
  missing: redisServer === undefined ? 'there is no redis-server on the PATH' : undefined,
  async run() {
    await using stack = new AsyncDisposableStack();
    const requests = await requestsWithAnswers();
    const server = stack.use(await startRedis());
    const processor = stack.use(
      await startMain('processor', { WORKERS: '2', REDIS_URL: server.url, CACHE_MAX_BYTES: '0' }),
    );
    const api = stack.use(await startMain('api', { PROCESSOR_URL: processor.url }));
    const figures: Figure[] = [];
    const client = async (port = server.port) => {
      const one = createClient({ url: `redis://127.0.0.1:${port}` });
      one.on('error', () => {});
      await one.connect();
      return one;
    };

    async function during(what: string, fault: () => unknown = () => {}): Promise<void> {
      const load = loadFor(lastsMs, { url: api.url, pace: { inFlight: 4 }, requests });
      await sleep(500);
      await fault();
      const result = await load;
      const failed = failuresOf(result);
      const ms = result.records.map(({ startedAt, endedAt }) => endedAt - startedAt);
      figures.push(
        exactly(
          `failed or wrong, Redis ${what}`,
          failed.length === 0 ? 0 : `${failed.length}: ${reasonsOf(failed)}`,
          0,
        ),
      );
      figures.push(
        told(
          `requests, Redis ${what}`,
          `${result.records.length}, p99 ${percentile(ms, 0.99).toFixed(0)} ms`,
        ),
      );
    }

    await during('in order');
    const hits = await hitsOf(processor);
    figures.push(atLeast('hits in Redis before anything is done to it', hits, pictureCount));

    server.freeze();
    await during('hung (SIGSTOP)');
    server.thaw();
    await during('awake again');
    figures.push(atLeast('hits in Redis once it is awake', (await hitsOf(processor)) - hits, pictureCount));

    for (const [what, script] of Object.entries(garbage)) {
      const spoiler = await client();
      let spoilt = 0;
      await during(`with ${what} under our keys`, async () => {
        // The next request overwrites a corrupted value, so values are corrupted repeatedly.
        const until = performance.now() + lastsMs - 1000;
        while (performance.now() < until) {
          spoilt += Number(await spoiler.eval(script, { arguments: [randomBytes(1000).toString('latin1')] }));
          await sleep(50);
        }
      });
      figures.push(atLeast(`values spoilt: ${what}`, spoilt, pictureCount));
      spoiler.destroy();
    }

    const full = await client();
    await full.flushAll();
    await full.configSet({ maxmemory: '1', 'maxmemory-policy': 'noeviction' });
    await during('full (maxmemory, noeviction)');
    await full.configSet({ maxmemory: '0' });
    full.destroy();

    await during('killed (SIGKILL)', () => server.stop());
    stack.use(await startRedis({ port: server.port }));
    await sleep(2500);
    const before = await hitsOf(processor);
    await during('back');
    figures.push(atLeast('hits in Redis once it is back', (await hitsOf(processor)) - before, pictureCount));
    const errors = [...(await processor.metrics())].find(([name]) =>
      name.startsWith('image_processor_cache_errors_total'),
    );
    figures.push(atLeast('failures of the cache that were counted, and failed nothing', errors?.[1] ?? 0, 1));
    return figures;
  },
};

/** Values that another program may store under our keys, as Redis scripts; each returns the number that it changed. */
const garbage: Readonly<Record<string, string>> = {
  'random bytes': forEachKey("redis.call('SET', key, ARGV[1])"),
  'values of another type': forEachKey("redis.call('DEL', key); redis.call('LPUSH', key, 'not a string')"),
  'values cut off': forEachKey(
    "local value = redis.call('GET', key); redis.call('SET', key, string.sub(value, 1, math.floor(#value / 2)))",
  ),
  'responses to other requests': forEachKey(
    "local other = redis.call('RANDOMKEY'); if other ~= key then redis.call('COPY', other, key, 'REPLACE') end",
  ),
};

function forEachKey(work: string): string {
  return `local keys = redis.call('KEYS', '*'); for _, key in ipairs(keys) do ${work} end; return #keys`;
}

async function hitsOf(processor: ServiceProcess): Promise<number> {
  return (
    (await processor.metrics()).get('image_processor_cache_lookups_total{tier="redis",result="hit"}') ?? 0
  );
}

/** Pictures, and the responses of a processor without Redis. */
async function requestsWithAnswers(): Promise<LoadRequest[]> {
  await using processor = await startMain('processor', { WORKERS: '2' });
  await using api = await startMain('api', { PROCESSOR_URL: processor.url });
  const path = '/v1/images?width=64&height=48&format=png';
  const requests: LoadRequest[] = [];
  for (let seed = 1; seed <= pictureCount; seed++) {
    const body = await encoded(photoLike(160, 120, seed), 'jpeg');
    const response = await fetch(api.url + path, { method: 'POST', body });
    if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`);
    const answer = createHash('sha256')
      .update(new Uint8Array(await response.arrayBuffer()))
      .digest('hex');
    requests.push({ kind: `picture ${seed}`, path, body, answer });
  }
  return requests;
}
