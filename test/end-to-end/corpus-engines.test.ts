import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { V1Job } from '@kubernetes/client-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { corpus, hashesIn, startNumberedOrigin, temporaryFolder, writeList } from '../support/corpus.ts';
import { readKustomization } from '../support/kustomization.ts';
import type { Origin } from '../support/origin.ts';
import { findPythonWith } from '../support/python.ts';
import { run } from '../support/run.ts';
import { type Service, startService } from '../support/service.ts';
import { findProgram } from '../support/tools.ts';

/* The same corpus by each engine: the shards are equal to the byte. */

const path = (name: string) => fileURLToPath(new URL(`../../${name}`, import.meta.url));
const client = [process.execPath, path('src/client/main.ts')];
const shards = 4;

let service: Service;
let origin: Origin;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let expected: Record<string, string>;

beforeAll(async () => {
  service = await startService({ processor: { URL_ALLOWED_HOSTS: '127.0.0.1' } });
  origin = await startNumberedOrigin();
  folder = await temporaryFolder();
  await writeList(join(folder.path, 'list.csv'), origin, 5 * shards);
  const out = await planned('by-hand');
  expect(await runCorpus('work', '--out', out, '--shard', `0-${shards - 1}`)).toMatchObject({ code: 0 });
  expected = await hashesIn(join(out, 'shards'));
  expect(Object.keys(expected)).toHaveLength(shards);
}, 60_000);
afterAll(async () => {
  await service?.stop();
  await origin?.[Symbol.asyncDispose]();
  await folder?.[Symbol.asyncDispose]();
});

const runCorpus = (...words: string[]) => corpus(words, { IMAGE_PROCESSOR_URL: service.address });

async function planned(name: string): Promise<string> {
  const out = join(folder.path, name);
  const list = join(folder.path, 'list.csv');
  const options = ['--rows-per-shard', '5', '--width', '9', '--height', '7', '--format', 'png'];
  expect(await runCorpus('plan', list, '--out', out, ...options)).toMatchObject({ code: 0 });
  return out;
}

async function checkShards(out: string): Promise<void> {
  expect(await hashesIn(join(out, 'shards'))).toEqual(expected);
  expect(await runCorpus('verify', '--out', out)).toMatchObject({ code: 0 });
}

describe('a worker without a service', () => {
  it('makes the same shards', async () => {
    const out = await planned('local');
    const words = ['work', '--local', '--out', out, '--shard', `0-${shards - 1}`];
    expect(await corpus(words, { URL_ALLOWED_HOSTS: '127.0.0.1', WORKERS: '1' })).toMatchObject({ code: 0 });
    await checkShards(out);
  }, 60_000);
});

describe('an Indexed Job', () => {
  /** The command of the Job's pods with its ConfigMap, as the kubelet would run it for an index. */
  function podOf(index: number, settings: Readonly<Record<string, string>>) {
    const objects = readKustomization('manifests/components/corpus');
    const job = objects.find(({ kind }) => kind === 'Job') as unknown as V1Job;
    const map = objects.find(({ kind }) => kind === 'ConfigMap') as unknown as {
      data: Record<string, string>;
    };
    const environment = { ...map.data, ...settings, JOB_COMPLETION_INDEX: String(index) };
    const { command = [], args = [] } = job.spec?.template.spec?.containers[0] ?? {};
    expect(command).toEqual(['node', 'dist/image-client.js']);
    const expanded = args.map((arg) =>
      arg.replaceAll(
        /\$\((\w+)\)/g,
        (_, name: string) => environment[name as keyof typeof environment] ?? '',
      ),
    );
    const [program = '', main = ''] = client;
    return run(program, [main, ...expanded], { env: environment });
  }

  it('makes the same shards, a pod for each index', async () => {
    const out = await planned('job');
    const settings = { CORPUS_OUT: out, IMAGE_PROCESSOR_URL: `http://${service.address}` };
    const pods = Array.from({ length: shards }, (_, index) => podOf(index, settings));
    for (const pod of await Promise.all(pods)) expect(pod.code, pod.stderr).toBe(0);
    await checkShards(out);
  }, 60_000);

  it('ends with an exit code for which the Job is given up, where no plan is or the index is none of its shards', async () => {
    const out = await planned('wrong-index');
    const settings = { CORPUS_OUT: out, IMAGE_PROCESSOR_URL: `http://${service.address}` };
    expect(await podOf(shards, settings)).toMatchObject({ code: 2 });
    const nowhere = { ...settings, CORPUS_OUT: join(folder.path, 'nowhere') };
    expect(await podOf(0, nowhere)).toMatchObject({ code: 2 });
  });
});

describe('xargs', () => {
  it.skipIf(findProgram('xargs') === undefined)(
    'makes the same shards with -P',
    async () => {
      const out = await planned('xargs');
      const words = [
        '-P',
        '3',
        '-I{}',
        ...client,
        'corpus',
        'work',
        '--quiet',
        '--out',
        out,
        '--shard',
        '{}',
      ];
      const input = Array.from({ length: shards }, (_, shard) => `${shard}\n`).join('');
      const done = await run('xargs', words, { input, env: { IMAGE_PROCESSOR_URL: service.address } });
      expect(done.code, done.stderr).toBe(0);
      await checkShards(out);
    },
    60_000,
  );
});

const python = findPythonWith('ray', 'pyarrow', 'pandas');

describe('examples/ray/corpus_shards.py', () => {
  it.skipIf(python === undefined)(
    'makes the same shards with Ray Data',
    async () => {
      const out = await planned('ray');
      const done = await run(python ?? '', [path('examples/ray/corpus_shards.py'), out, '2'], {
        env: {
          IMAGE_CLIENT: client.join(' '),
          IMAGE_PROCESSOR_URL: service.address,
          RAY_USAGE_STATS_ENABLED: '0',
        },
      });
      expect(done.code, done.stderr).toBe(0);
      expect(done.stdout.toString()).toBe('0 written\n1 written\n2 written\n3 written\n');
      await checkShards(out);
    },
    180_000,
  );
});
