import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import {
  corpusProgram,
  hashesIn,
  startNumberedOrigin,
  temporaryFolder,
  writeList,
} from '../support/corpus.ts';
import { run } from '../support/run.ts';
import { type S3Server, startS3 } from '../support/s3.ts';
import { startService } from '../support/service.ts';

/*
 * Makes one corpus undisturbed and the same corpus with workers that are killed at random moments, as `xargs -P` starts them,
 * and compares what is in the two.
 */

const program = fileURLToPath(new URL('../../src/client/main.ts', import.meta.url));
const bucket = 'corpora';

/** A worker that has not ended after this time counts as hanging. */
const hangMs = 180_000;

/** How much is made and killed. */
export interface KillPlan {
  readonly shards: number;
  readonly rowsPerShard: number;
  /** Workers that are killed by SIGKILL. */
  readonly kills: number;
  readonly workersAtOnce: number;
  readonly isInBucket: boolean;
  /** Of the random moments; equal seeds give equal moments. */
  readonly seed: number;
  readonly flags: readonly string[];
}

/** The findings of a run. */
export interface KillReport {
  readonly kills: number;
  /** Workers that were started. */
  readonly workers: number;
  /** Shards for which two workers ran at once. */
  readonly pairs: number;
  readonly hangs: number;
  /** Ends of workers that were neither a success nor a kill. */
  readonly failures: readonly string[];
  readonly shards: number;
  /** Shards whose SHA-256 is not that of the undisturbed run, or that only one of the runs has. */
  readonly different: readonly string[];
  /** Whether all indexes of the undisturbed run are in the disturbed one, with the same bytes. */
  readonly areIndexesEqual: boolean;
  readonly verify: unknown;
  readonly seconds: number;
}

/** Where the two corpora are, and how their files are hashed. */
interface Place {
  readonly environment: Readonly<Record<string, string>>;
  out(name: string): string;
  hashes(name: string, folder: string): Promise<Record<string, string>>;
}

export async function killWorkers(plan: KillPlan): Promise<KillReport> {
  await using service = await startService({ processor: { URL_ALLOWED_HOSTS: '127.0.0.1' } });
  await using origin = await startNumberedOrigin();
  await using folder = await temporaryFolder();
  await using s3 = plan.isInBucket ? await startS3() : undefined;
  await s3?.createBucket(bucket);
  const place = s3 === undefined ? inFolder(folder.path) : inBucket(s3);
  const environment = { IMAGE_PROCESSOR_URL: service.address, ...place.environment };
  const list = join(folder.path, 'list.csv');
  await writeList(list, origin, plan.shards * plan.rowsPerShard);
  const call = async (...parameters: string[]) => {
    const result = await corpusProgram(parameters, environment);
    if (result.code !== 0) throw new Error(`corpus ${parameters.join(' ')}: ${result.stderr}`);
    return result.stdout.toString();
  };
  for (const name of ['undisturbed', 'killed']) {
    const size = ['--rows-per-shard', String(plan.rowsPerShard)];
    await call('plan', list, '--out', place.out(name), ...size, ...plan.flags);
  }
  await call('work', '--out', place.out('undisturbed'), '--shard', `0-${plan.shards - 1}`, '--quiet');
  const startedMs = performance.now();
  const counts = await runWorkers(plan, place.out('killed'), environment);
  const seconds = (performance.now() - startedMs) / 1000;
  const [expected, actual] = await Promise.all(
    ['undisturbed', 'killed'].map((name) => place.hashes(name, 'shards')),
  );
  const [expectedIndexes, actualIndexes] = await Promise.all(
    ['undisturbed', 'killed'].map((name) => place.hashes(name, 'index')),
  );
  const names = new Set([...Object.keys(expected ?? {}), ...Object.keys(actual ?? {})]);
  const verified = await corpusProgram(['verify', '--out', place.out('killed'), '--json'], environment);
  return {
    ...counts,
    shards: Object.keys(actual ?? {}).length,
    different: [...names].filter((name) => expected?.[name] !== actual?.[name]),
    areIndexesEqual: JSON.stringify(expectedIndexes) === JSON.stringify(actualIndexes),
    verify: JSON.parse(verified.stdout.toString()),
    seconds,
  };
}

async function runWorkers(plan: KillPlan, out: string, environment: Readonly<Record<string, string>>) {
  const random = randomNumbers(plan.seed);
  const waiting = Array.from({ length: plan.shards }, (_, shard) => shard);
  const counts = { kills: 0, workers: 0, pairs: 0, hangs: 0, failures: [] as string[] };
  /** The time that a whole worker takes, as the last one did. */
  let wholeMs = 3000;
  let planned = 0;

  async function work(shard: number): Promise<boolean> {
    const isVictim = planned < plan.kills;
    if (isVictim) planned++;
    const killAfterMs = random() * wholeMs;
    const startedMs = performance.now();
    counts.workers++;
    let isOver = false;
    const parameters = [program, 'corpus', 'work', '--out', out, '--shard', String(shard), '--quiet'];
    const result = await run(process.execPath, parameters, {
      env: environment,
      started(child) {
        child.once('exit', () => {
          isOver = true;
        });
        if (isVictim) setTimeout(() => child.kill('SIGKILL'), killAfterMs).unref();
        void sleep(hangMs, undefined, { ref: false }).then(() => {
          if (isOver) return;
          counts.hangs++;
          child.kill('SIGKILL');
        });
      },
    });
    if (result.code === 0) wholeMs = performance.now() - startedMs;
    if (result.signal === 'SIGKILL') counts.kills++;
    else if (isVictim) planned--;
    if (result.code !== 0 && result.signal !== 'SIGKILL') counts.failures.push(result.stderr.slice(-300));
    return result.code === 0;
  }

  await Promise.all(
    Array.from({ length: plan.workersAtOnce }, async () => {
      for (let shard = waiting.shift(); shard !== undefined; shard = waiting.shift()) {
        const isPair = random() < 0.05;
        if (isPair) counts.pairs++;
        const ends = await Promise.all(isPair ? [work(shard), work(shard)] : [work(shard)]);
        if (counts.failures.length > 20) throw new Error(counts.failures.join('\n'));
        // As a Job's controller does: the index of a worker that failed is tried again.
        if (!ends.includes(true)) waiting.push(shard);
        // Enough shards were done without a kill for the planned number of kills: kill workers of shards that are done.
        else if (waiting.length === 0 && counts.kills < plan.kills) waiting.push(shard);
      }
    }),
  );
  return counts;
}

function inFolder(path: string): Place {
  return {
    environment: {},
    out: (name) => join(path, name),
    hashes: (name, folder) => hashesIn(join(path, name, folder)),
  };
}

function inBucket({ client, environment }: S3Server): Place {
  return {
    environment,
    out: (name) => `s3://${bucket}/${name}`,
    async hashes(name, folder) {
      const found: Record<string, string> = {};
      const page = await client.send(
        new ListObjectsV2Command({ Bucket: bucket, Prefix: `${name}/${folder}/`, MaxKeys: 1000 }),
      );
      for (const { Key = '' } of page.Contents ?? []) {
        const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key }));
        const bytes = (await Body?.transformToByteArray()) ?? new Uint8Array();
        found[Key.slice(name.length + 1)] = createHash('sha256').update(bytes).digest('hex');
      }
      return found;
    },
  };
}

/** Numbers from 0 to below 1, the same for the same seed (Marsaglia's xorshift32). */
function randomNumbers(seed: number): () => number {
  let state = seed | 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}
