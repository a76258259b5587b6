import {
  appendFile,
  copyFile,
  link,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Origin, startOrigin } from '../support/origin.ts';
import { encoded, gradient, redGreenBlue } from '../support/pictures.ts';
import { type Run, run } from '../support/run.ts';
import { type Service, startService } from '../support/service.ts';
import { canMount, mountSmallDisk } from '../support/small-disk.ts';

/* Changes that a job must not make to files, and its messages about them, against the real processor. */

const program = fileURLToPath(new URL('../../src/client/main.ts', import.meta.url));

let service: Service;
let folder: string;
beforeAll(async () => {
  service = await startService({ processor: { URL_ALLOWED_HOSTS: '127.0.0.1' } });
});
afterAll(() => service.stop());

let photo: Uint8Array;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'image-client-files-'));
  photo = await encoded(gradient(30, 20), 'jpeg');
  await put('photos/a.jpg');
  await put('photos/b.jpg', await encoded(gradient(20, 30), 'jpeg'));
});
afterEach(() => rm(folder, { recursive: true }));

async function put(path: string, content: string | Uint8Array = photo): Promise<void> {
  await mkdir(join(folder, path, '..'), { recursive: true });
  await writeFile(join(folder, path), content);
}

const read = (path: string) => readFile(join(folder, path));
const namesIn = async (path: string) => (await readdir(join(folder, path))).toSorted();

const small = ['--width', '4', '--height', '2'];

function job(parameters: readonly string[], options: Parameters<typeof run>[2] = {}): Promise<Run> {
  return run(process.execPath, [program, 'job', ...small, ...parameters], {
    cwd: folder,
    ...options,
    env: { IMAGE_PROCESSOR_URL: service.address, ...options.env },
  });
}

async function rowsIn(path: string): Promise<Record<string, unknown>[]> {
  const text = (await read(path)).toString().trimEnd();
  return text.split('\n').map((line) => JSON.parse(line));
}

describe('a job never writes over one of its sources', () => {
  afterEach(async () => {
    expect(await read('photos/a.jpg')).toEqual(Buffer.from(photo));
    expect(
      (await namesIn('photos')).filter((name) => !/^(a|b|link|hard|list)\.(jpg|txt)$/.test(name)),
    ).toEqual([]);
  });

  it.each([
    ['a folder', ['photos', 'photos']],
    ['a folder, with --overwrite and --force', ['--overwrite', '--force', 'photos', 'photos']],
    ['a folder by another path', ['photos', 'photos/../photos/.']],
    ['a folder by a link', ['photos', 'album']],
    ['a file', ['--overwrite', 'photos/a.jpg', 'photos']],
    ['a glob', ['--overwrite', 'photos/*.jpg', 'photos']],
    ['a list', ['--overwrite', 'photos/list.txt', 'photos']],
    ['a link to the file', ['--overwrite', 'photos/a.jpg', 'links']],
    ['a hard link of the file', ['--overwrite', 'photos/a.jpg', 'hard']],
  ])('named as %s', async (_, parameters) => {
    await symlink('photos', join(folder, 'album'));
    await put('photos/list.txt', 'a.jpg\nb.jpg\n');
    await mkdir(join(folder, 'links'));
    await symlink('../photos/a.jpg', join(folder, 'links', 'a.jpg'));
    await mkdir(join(folder, 'hard'));
    await link(join(folder, 'photos', 'a.jpg'), join(folder, 'hard', 'a.jpg'));
    const result = await job(parameters);
    expect(result.code).toBe(2);
    expect(result.stderr).toMatch(/^image-client: OUTPUT_IS_SOURCE: .*\n$/);
    const dry = await job(['--dry-run', ...parameters]);
    expect(dry).toMatchObject({ code: 2, stderr: result.stderr });
  });

  it('named on standard input', async () => {
    const result = await job(['--overwrite', '-', '.'], { input: 'a.jpg\n', cwd: join(folder, 'photos') });
    expect(result.code).toBe(2);
    expect(result.stderr).toContain('OUTPUT_IS_SOURCE');
  });
});

describe('a job replaces only its own outputs', () => {
  it('not those of another source, and not unknown files, without --overwrite', async () => {
    await put('more/a.jpg', await encoded(redGreenBlue, 'jpeg'));
    await put('out/b.png', 'my own');
    expect((await job(['--format', 'png', 'photos', 'out'])).code).toBe(1);
    const first = await read('out/a.png');
    expect((await read('out/b.png')).toString()).toBe('my own');
    const forced = await job(['--format', 'png', '--force', 'more', 'out']);
    expect(forced.code).toBe(1);
    expect(await read('out/a.png')).toEqual(first);
    expect(await rowsIn('out/failures.jsonl')).toMatchObject([
      {
        source: join(folder, 'more', 'a.jpg'),
        reason: 'OUTPUT_EXISTS',
        message: expect.stringContaining(`the output of "${join(folder, 'photos', 'a.jpg')}"`),
        metadata: { output: 'a.png' },
        code: 6,
        retryable: false,
      },
    ]);
    const dry = await job(['--format', 'png', '--overwrite', '--dry-run', 'more', 'out']);
    expect(dry.stdout.toString()).toContain(`replace ${folder}/more/a.jpg -> a.png\n`);
    expect(await job(['--format', 'png', '--overwrite', 'more', 'out'])).toMatchObject({ code: 0 });
    expect(await read('out/a.png')).not.toEqual(first);
    expect(await namesIn('out')).toEqual(['a.png', 'b.png', 'journal.jsonl']);
  });

  it('not one that was changed', async () => {
    await job(['--format', 'png', 'photos', 'out']);
    await appendFile(join(folder, 'out', 'a.png'), 'and a remark');
    const changed = await read('out/a.png');
    expect((await job(['--format', 'png', '--force', 'photos', 'out'])).code).toBe(1);
    expect(await read('out/a.png')).toEqual(changed);
  });

  it('and recognises them after a copy that changed their times', async () => {
    await job(['--format', 'png', 'photos', 'out']);
    await mkdir(join(folder, 'copy'));
    for (const name of await namesIn('out')) {
      await copyFile(join(folder, 'out', name), join(folder, 'copy', name));
      await utimes(join(folder, 'copy', name), 1, 1);
    }
    const again = await job(['--format', 'png', 'photos', 'copy']);
    expect(again).toMatchObject({ code: 0 });
    expect(again.stderr).toContain('0 images to do, 2 done already');
    expect(await job(['--format', 'png', '--force', 'photos', 'copy'])).toMatchObject({ code: 0 });
  });

  it("does not take its own outputs for a glob's images", async () => {
    const parameters = ['--format', 'png', 'photos/*', 'photos'];
    expect(await job(parameters)).toMatchObject({ code: 0 });
    const again = await job(parameters);
    expect(again.stderr).toContain('0 images to do, 2 done already, 3 skipped (2 output of a job, 1 text)');
    expect(await namesIn('photos')).toEqual(['a.jpg', 'a.png', 'b.jpg', 'b.png', 'journal.jsonl']);
  });

  it('gives outputs whose names differ in letter case two names', async () => {
    await put('photos/A.jpg', await encoded(redGreenBlue, 'jpeg'));
    expect(await job(['--format', 'png', 'photos', 'out'])).toMatchObject({ code: 0 });
    const names = (await namesIn('out')).filter((name) => name.endsWith('.png'));
    expect(new Set(names.map((name) => name.toLowerCase())).size).toBe(3);
  });

  it.each(['journal.jsonl', 'failures.jsonl'])(
    "leaves a folder with somebody else's %s as it is",
    async (name) => {
      await put(`out/${name}`, '{"mine":1}\n');
      const result = await job(['photos', 'out']);
      expect(result.code).toBe(2);
      expect(result.stderr).toContain(`image-client: OUTPUT_FOREIGN: "${folder}/out/${name}" is not a job's`);
      expect(await namesIn('out')).toEqual([name]);
      expect((await read(`out/${name}`)).toString()).toBe('{"mine":1}\n');
    },
  );
});

describe('a job counts skipped files', () => {
  it('by kind, without another exit code unless --strict', async () => {
    await put('photos/notes.md', 'words');
    await put('photos/0123abcd');
    await put('photos/.hidden.jpg');
    await symlink('nowhere', join(folder, 'photos', 'c.jpg'));
    await mkdir(join(folder, 'elsewhere'));
    await symlink('../elsewhere', join(folder, 'photos', 'more'));
    const name = Buffer.concat([Buffer.from(`${folder}/photos/`), Buffer.from('caf\xe9.jpg', 'latin1')]);
    await writeFile(name, photo);
    const result = await job(['photos', 'out']);
    expect(result.code).toBe(0);
    expect(result.stderr).toMatch(
      /4 done in .*, 0 failed, 4 skipped \(1 broken link, 1 hidden, 1 link to a folder, 1 text\)\n$/,
    );
    const names = await readdir(Buffer.from(join(folder, 'out')), { encoding: 'buffer' });
    expect(names.map((each) => each.toString('latin1')).toSorted()).toEqual([
      '0123abcd',
      'a.jpg',
      'b.jpg',
      'caf\u00e9.jpg',
      'journal.jsonl',
    ]);
    const strict = await job(['--strict', '--quiet', 'photos', 'out']);
    expect(strict).toMatchObject({
      code: 1,
      stderr:
        'image-client: 4 skipped (1 broken link, 1 hidden, 1 link to a folder, 1 text), which --strict forbids; --dry-run lists them\n',
    });
  });
});

describe('a job ends before its first image', () => {
  it.each([
    [['--preset', 'clip'], 'PRESET_UNKNOWN'],
    [['--no-scale', '--format', 'npy', '--mean', '1,2,3,4', '--std', '1'], 'OPTION_INVALID'],
  ])('once, for options that the processor refuses: %j', async (options, reason) => {
    const result = await run(process.execPath, [program, 'job', ...options, 'photos', 'out'], {
      cwd: folder,
      env: { IMAGE_PROCESSOR_URL: service.address },
    });
    expect(result.code).toBe(2);
    expect(result.stderr.match(new RegExp(`image-client: ${reason}: `, 'g'))?.length).toBe(1);
    expect(await namesIn('.')).toEqual(['photos']);
  });

  it('with 7 where outputs of another preset are, until --force', async () => {
    const preset = (name: string, ...more: string[]) =>
      run(process.execPath, [program, 'job', '--preset', name, ...more, 'photos', 'out'], {
        cwd: folder,
        env: { IMAGE_PROCESSOR_URL: service.address },
      });
    expect(await preset('clip-vit-base-patch32')).toMatchObject({ code: 0 });
    const before = await read('out/a.npy');
    const refused = await preset('vit-base-patch16-224');
    expect(refused.code).toBe(7);
    expect(refused.stderr).toContain(
      'image-client: PRESET_CHANGED: 2 images of the output folder were made with clip-vit-base-patch32, and this job uses vit-base-patch16-224; --force',
    );
    expect(await read('out/a.npy')).toEqual(before);
    expect(await preset('vit-base-patch16-224', '--force')).toMatchObject({ code: 0 });
    expect(await rowsIn('out/journal.jsonl')).toContainEqual(
      expect.objectContaining({
        preset: 'vit-base-patch16-224',
        shape: [1, 3, 224, 224],
        sourceSha256: expect.stringMatching(/^[0-9a-f]{64}$/),
        numericsVersion: expect.stringMatching(/^\d+\+torch/),
      }),
    );
  });

  it('with 7 where outputs of another numerics version stay, until --force', async () => {
    expect(await job(['photos/a.jpg', 'out'])).toMatchObject({ code: 0 });
    const journal = (await read('out/journal.jsonl')).toString();
    await put('out/journal.jsonl', journal.replace(/"numericsVersion":"[^"]*"/, '"numericsVersion":"0"'));
    const refused = await job(['photos', 'out']);
    expect(refused.code).toBe(7);
    expect(refused.stderr).toMatch(
      /\nimage-client: NUMERICS_CHANGED: 1 image of the output folder have numerics version 0, and the processor.s is \d.*; --force makes all outputs again, or choose another output folder\.\n$/,
    );
    expect(await namesIn('out')).toEqual(['a.jpg', 'journal.jsonl']);
    expect(await job(['--force', 'photos', 'out'])).toMatchObject({ code: 0 });
    expect((await read('out/journal.jsonl')).toString().trimEnd().split('\n').length).toBe(3);
  });
});

describe.skipIf(!canMount)('a job on a full disk', () => {
  it('ends with 6, keeps finished outputs, and resumes when there is room', async () => {
    for (let index = 0; index < 30; index++) await put(`photos/${index}.jpg`);
    using disk = mountSmallDisk(join(folder, 'out'), '1m');
    const parameters = [
      '--width',
      '100',
      '--height',
      '100',
      '--in-flight',
      '2',
      '--format',
      'npy',
      '--no-grayscale',
      'photos',
      'out',
    ];
    const full = await job(parameters);
    expect(full.code).toBe(6);
    expect(full.stderr).toMatch(
      /\nimage-client: DISK_FULL: .* cannot be written: no space left on device\. \d+ of 32 are done, and the same command continues from there\.\n$/,
    );
    const names = await namesIn('out');
    expect(names.filter((name) => name.startsWith('.'))).toEqual([]);
    for (const name of names.filter((each) => each.endsWith('.npy'))) {
      expect((await read(`out/${name}`)).length).toBe(128 + 120_000);
    }
    const [, done] = /(\d+) of 32 are done/.exec(full.stderr) ?? [];
    disk.resize('20m');
    const resumed = await job(parameters);
    expect(resumed).toMatchObject({ code: 0 });
    expect(resumed.stderr).toContain(`${32 - Number(done)} images to do, ${done} done already`);
  });
});

/** An origin that sends at most this many images a second, and otherwise asks to try again in one second. */
async function startLimitedOrigin(status: number, imagesPerSecond: number): Promise<Origin> {
  const image = await encoded(redGreenBlue, 'png');
  let second = 0;
  let given = 0;
  return startOrigin((_request, response) => {
    const now = Math.floor(performance.now() / 1000);
    if (now !== second) [second, given] = [now, 0];
    if (given++ < imagesPerSecond) response.writeHead(200, { 'content-type': 'image/png' }).end(image);
    else response.writeHead(status, { 'retry-after': '1' }).end();
  });
}

describe('a job against an origin that asks to try again later', () => {
  it.each([429, 503])(
    'waits and gets all of 40, at a status of %i',
    async (status) => {
      await using origin = await startLimitedOrigin(status, 6);
      const urls = Array.from({ length: 40 }, (_, index) => origin.url(`/${index}.png`));
      await put('list.txt', urls.join('\n'));
      const result = await job(['--quiet', 'list.txt', 'out']);
      expect(result).toMatchObject({ code: 0, stderr: '' });
      expect((await rowsIn('out/journal.jsonl')).length).toBe(40);
      // It sends fewer requests to the origin at once: few of them are refused.
      expect(origin.requests.length).toBeLessThan(80);
    },
    60_000,
  );

  it('gives up on a host that sends no image, and gets the images of others meanwhile', async () => {
    await using busy = await startOrigin((_request, response) => {
      response.writeHead(429, { 'retry-after': '1' }).end();
    });
    await using good = await startLimitedOrigin(503, 1000);
    const urls = Array.from({ length: 20 }, (_, index) => busy.url(`/${index}.png`));
    await put('list.txt', [...urls, good.url('/a.png'), good.url('/b.png')].join('\n'));
    const result = await job(['--host-patience', '3', '--in-flight', '10', 'list.txt', 'out']);
    expect(result.code).toBe(1);
    expect(result.stderr).toMatch(/\n?image-client: 2 done in \d+ s .*, 20 failed\n/);
    const failures = await rowsIn('out/failures.jsonl');
    expect(failures.map(({ reason, retryable }) => [reason, retryable])).toEqual(
      Array.from({ length: 20 }, () => ['ORIGIN_BUSY', true]),
    );
    // Images fail one after the other, without using all their tries.
    expect(busy.requests.length).toBeLessThan(30);
  }, 60_000);
});
