import type { ChildProcess } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { isAlive } from '../../src/client/job/output/lock.ts';
import { startOrigin } from '../support/origin.ts';
import { encoded, gradient } from '../support/pictures.ts';
import { type Run, run } from '../support/run.ts';
import { startS3 } from '../support/s3.ts';
import { type Service, startService } from '../support/service.ts';
import { findProgram, s3Program } from '../support/tools.ts';

/* `--local`: the client contains the processor, and nothing else runs. */

const program = fileURLToPath(new URL('../../src/client/main.ts', import.meta.url));
const images = 5;
const preset = ['--preset', 'clip-vit-base-patch32'];

let service: Service;
let folder: string;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.stop());
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'image-client-local-'));
  for (let at = 0; at < images; at++) {
    await writeFile(join(folder, `${at}.png`), await encoded(gradient(50 + at, 40), 'png'));
  }
});
afterEach(() => rm(folder, { recursive: true }));

function client(parameters: readonly string[], options: Parameters<typeof run>[2] = {}): Promise<Run> {
  const env = { WORKERS: '1', ...options.env };
  return run(process.execPath, [program, ...parameters], { cwd: folder, ...options, env });
}

/** The processes that a process started. */
async function childrenOf(pid: number | undefined): Promise<number[]> {
  const { stdout } = await run('pgrep', ['-P', String(pid)]);
  return stdout.toString().split('\n').filter(Boolean).map(Number);
}

describe('image-client --local', () => {
  it('makes the same tensors as a service', async () => {
    const local = await client(['job', '--local', ...preset, '*.png', 'local']);
    expect(local.code, local.stderr).toBe(0);
    const called = await client(['job', ...preset, '*.png', 'called'], {
      env: { IMAGE_PROCESSOR_URL: service.address },
    });
    expect(called.code, called.stderr).toBe(0);
    for (let at = 0; at < images; at++) {
      const [ours, theirs] = await Promise.all(
        ['local', 'called'].map((name) => readFile(join(folder, name, `${at}.npy`))),
      );
      expect(ours).toEqual(theirs);
    }
  }, 30_000);

  it('compares a tensor', async () => {
    expect(await client(['job', '--local', ...preset, '0.png', 'out'])).toMatchObject({ code: 0 });
    const compared = await client(['skew', '--local', ...preset, '0.png', 'out/0.npy']);
    expect(compared.code, compared.stderr).toBe(0);
    expect(compared.stdout.toString()).toMatch(/^Equal: /);
  }, 30_000);

  it('listens on no port: PORT and METRICS_PORT have no effect', async () => {
    const [, port = ''] = service.address.split(':');
    const env = { PORT: port, METRICS_PORT: port, HOST: '127.0.0.1' };
    const done = await client(['job', '--local', ...preset, '0.png', 'out'], { env });
    expect(done.code, done.stderr).toBe(0);
  });

  it('ends with 2 for an environment in which image-processor would not start', async () => {
    const done = await client(['job', '--local', ...preset, '0.png', 'out'], { env: { WORKERS: 'many' } });
    expect(done.code).toBe(2);
    expect(done.stderr).toContain('ENVIRONMENT_INVALID: For --local: WORKERS is "many"; allowed: ');
  });

  it.skipIf(findProgram('pgrep') === undefined)(
    'ends with its workers at Ctrl+C',
    async () => {
      const { promise: workers, resolve } = Promise.withResolvers<number[]>();
      let child: ChildProcess | undefined;
      await using origin = await startOrigin(async () => {
        resolve(await childrenOf(child?.pid));
        child?.kill('SIGINT');
      });
      await writeFile(join(folder, 'list.txt'), origin.url('/hangs.jpg'));
      const interrupted = await client(['job', '--local', ...preset, 'list.txt', 'out'], {
        env: { URL_ALLOWED_HOSTS: '127.0.0.1' },
        started(process) {
          child = process;
        },
      });
      expect(interrupted.code, interrupted.stderr).toBe(130);
      expect(await workers).not.toEqual([]);
      expect((await workers).filter(isAlive)).toEqual([]);
    },
    30_000,
  );

  it.skipIf(s3Program === undefined)(
    'ends when the responses that STORE_URL keeps are stored',
    async () => {
      await using s3 = await startS3();
      await s3.createBucket('kept');
      const env = { ...s3.environment, STORE_URL: 's3://kept/responses' };
      const done = await client(['job', '--local', ...preset, '*.png', 'out'], { env });
      expect(done.code, done.stderr).toBe(0);
      const { KeyCount } = await s3.client.send(new ListObjectsV2Command({ Bucket: 'kept' }));
      // The job's own first request, by which it checks the options, is kept as well.
      expect(KeyCount).toBe(images + 1);
      expect(await readdir(join(folder, 'out'))).toContain('0.npy');
    },
    30_000,
  );
});
