import { createHash } from 'node:crypto';
import { watch } from 'node:fs';
import { access, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { encoded, gradient } from '../support/pictures.ts';
import { type Run, run } from '../support/run.ts';
import { type Service, startService } from '../support/service.ts';

/* Jobs through image-api with a key, and the same jobs to image-processor. */

const program = fileURLToPath(new URL('../../src/client/main.ts', import.meta.url));

let service: Service;
let keysFolder: string;
let folder: string;

/** Replaces the file of keys. A key's text is its id. */
async function writeKeys(...keys: readonly { id: string; requests_per_second?: number; burst?: number }[]) {
  const hashed = keys.map((key) => ({ ...key, sha256: createHash('sha256').update(key.id).digest('hex') }));
  await writeFile(join(keysFolder, 'new.json'), JSON.stringify({ keys: hashed }));
  await rename(join(keysFolder, 'new.json'), join(keysFolder, 'keys.json'));
}

beforeAll(async () => {
  keysFolder = await mkdtemp(join(tmpdir(), 'image-client-keys-'));
  await writeKeys({ id: 'good-key' });
  service = await startService({ api: { API_KEYS_FILE: join(keysFolder, 'keys.json') } });
});
afterAll(async () => {
  await service.stop();
  await rm(keysFolder, { recursive: true });
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'image-client-job-api-'));
  await mkdir(join(folder, 'photos', 'birds'), { recursive: true });
});
afterEach(() => rm(folder, { recursive: true }));

async function addPhotos(count: number): Promise<void> {
  for (let index = 0; index < count; index++) {
    const image = await encoded(gradient(30 + index, 20), index % 2 === 0 ? 'jpeg' : 'png');
    await writeFile(
      join(folder, 'photos', index < 2 ? 'birds' : '', `${index}.${index % 2 ? 'png' : 'jpg'}`),
      image,
    );
  }
}

/** Waits until image-api has read a changed file of keys, which it does every second. */
async function takenFrom(key: string, isTaken: (response: Response) => boolean): Promise<void> {
  const headers = { authorization: `Bearer ${key}` };
  while (!isTaken(await fetch(`${service.url}/v1/presets?limit=1`, { headers })));
}

function job(parameters: readonly string[], options: Parameters<typeof run>[2] = {}): Promise<Run> {
  return run(
    process.execPath,
    [program, 'job', '--width', '9', '--height', '8', '--format', 'npy', ...parameters],
    {
      cwd: folder,
      ...options,
      env: { IMAGE_API_URL: service.url, IMAGE_API_KEY: 'good-key', ...options.env },
    },
  );
}

/** The outputs below a folder with their contents, and the journal without the times of writing. */
async function contentOf(name: string): Promise<Record<string, string>> {
  const entries = await readdir(join(folder, name), { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const contents = await Promise.all(
    paths.map(async (path) => {
      const text = await readFile(path, 'latin1');
      const isJournal = path.endsWith('journal.jsonl');
      const lines = text
        .replaceAll(/"outputMtimeMs":[\d.]+,/g, '')
        .split('\n')
        .toSorted();
      return [path.slice(join(folder, name).length), isJournal ? lines.join('\n') : text] as const;
    }),
  );
  return Object.fromEntries(contents);
}

const lines = async (path: string) =>
  (await readFile(join(folder, path), 'utf8').catch(() => '')).split('\n').length - 1;

/** Resolves when the journal of `out` has this many lines. */
async function journalHas(count: number): Promise<void> {
  await mkdir(join(folder, 'out'), { recursive: true });
  const { promise, resolve } = Promise.withResolvers<void>();
  const look = async () => {
    if ((await lines('out/journal.jsonl')) >= count) resolve();
  };
  const watcher = watch(join(folder, 'out'), () => void look());
  await look();
  await promise;
  watcher.close();
}

// Each test starts several processes.
describe('image-client job through image-api', { timeout: 120_000 }, () => {
  it('gives the same outputs and the same journal as image-processor, and each continues the other', async () => {
    await addPhotos(12);
    await writeFile(join(folder, 'photos', 'bad.jpg'), 'not a jpeg');
    const byApi = await job(['photos', 'out']);
    expect(byApi.code).toBe(1);
    const env = { IMAGE_PROCESSOR_URL: service.address };
    const byProcessor = await job(['photos', 'other'], { env });
    expect(byProcessor.code).toBe(1);
    const content = await contentOf('out');
    expect(Object.keys(content)).toHaveLength(14);
    expect(await contentOf('other')).toEqual(content);
    const again = await job(['photos', 'out'], { env });
    expect(again.stderr).toContain('1 image to do, 12 done already');
  });

  it('ends at once with 3 where the key is missing or not known, and the key appears nowhere', async () => {
    await addPhotos(3);
    const none = await job(['photos', 'out'], { env: { IMAGE_API_KEY: undefined } });
    expect(none.code).toBe(3);
    expect(none.stderr).toMatch(
      /\nimage-client: UNAUTHENTICATED: .* Set IMAGE_API_KEY, or --key-file, to an API key\. 0 of 3 are done, and the same command continues from there\.\n$/,
    );
    await writeFile(join(folder, 'key.txt'), 'a-secret-key\n');
    const wrong = await job(['--key-file', 'key.txt', '--verbose', 'photos', 'out']);
    expect(wrong.code).toBe(3);
    expect(wrong.stderr).toContain("Ask image-api's operators for a key that is in use.");
    expect(wrong.stderr).not.toContain('a-secret-key');
    await expect(access(join(folder, 'out'))).rejects.toThrow();
  });

  it('ends at once when its key is withdrawn, fails no image, and continues with another key', async () => {
    await addPhotos(30);
    await writeKeys({ id: 'good-key' }, { id: 'short-lived', requests_per_second: 4, burst: 1 });
    await takenFrom('short-lived', ({ status }) => status !== 401);
    await writeFile(join(folder, 'key.txt'), 'short-lived');
    const result = await job(['--key-file', 'key.txt', 'photos', 'out'], {
      started: () => void journalHas(2).then(() => writeKeys({ id: 'good-key' })),
      env: { IMAGE_API_KEY: undefined },
    });
    expect(result.code).toBe(3);
    expect(result.stderr).toMatch(/UNAUTHENTICATED: .* \d+ of 30 are done, and the same command continues/);
    await expect(access(join(folder, 'out', 'failures.jsonl'))).rejects.toThrow();
    const done = await lines('out/journal.jsonl');
    expect(done).toBeLessThan(30);
    expect(JSON.stringify(await contentOf('out'))).not.toContain('short-lived');
    const rest = await job(['photos', 'out']);
    expect(rest).toMatchObject({ code: 0 });
    expect(rest.stderr).toContain(`${30 - done} images to do, ${done} done already`);
    expect(await lines('out/journal.jsonl')).toBe(30);
  });

  it('keeps to the rate limit of its key and fails nothing', async () => {
    await addPhotos(12);
    await writeKeys({ id: 'good-key', requests_per_second: 6, burst: 3 });
    await takenFrom('good-key', ({ headers }) => headers.has('ratelimit-policy'));
    const result = await job(['--json', 'photos', 'out']);
    expect(result.code).toBe(0);
    expect(JSON.parse(result.stdout.toString())).toMatchObject({
      total: 12,
      done: 12,
      failed: 0,
      failures: null,
    });
    expect(service.api.log.join()).toContain('RATE_LIMITED');
    await writeKeys({ id: 'good-key' });
  });

  it('ends with 2 for options that the processor refuses, before the first image', async () => {
    await addPhotos(1);
    const result = await run(
      process.execPath,
      [program, 'job', '--preset', 'clip-vit-base-patch3', 'photos', 'out'],
      { cwd: folder, env: { IMAGE_API_URL: service.url, IMAGE_API_KEY: 'good-key' } },
    );
    expect(result.code).toBe(2);
    expect(result.stderr).toMatch(/\nimage-client: PRESET_UNKNOWN: .*clip-vit-base-patch32/);
  });
});
