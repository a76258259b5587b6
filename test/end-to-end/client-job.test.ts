import { watch } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Origin, startOrigin } from '../support/origin.ts';
import { encoded, gradient, redGreenBlue } from '../support/pictures.ts';
import { type Run, run } from '../support/run.ts';
import { type Service, startService } from '../support/service.ts';
import { findProgram } from '../support/tools.ts';

/* Whole jobs against the real processor, and the content of the output folder afterwards. */

const program = fileURLToPath(new URL('../../src/client/main.ts', import.meta.url));
const fixtures = fileURLToPath(new URL('../fixtures/decode', import.meta.url));
const allowed = { URL_ALLOWED_HOSTS: '127.0.0.1' };

let service: Service;
let folder: string;
beforeAll(async () => {
  service = await startService({ processor: allowed });
});
afterAll(() => service.stop());
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'image-client-job-'));
});
afterEach(() => rm(folder, { recursive: true }));

function job(parameters: readonly string[], options: Parameters<typeof run>[2] = {}): Promise<Run> {
  return run(process.execPath, [program, 'job', ...parameters], {
    cwd: folder,
    ...options,
    env: { IMAGE_PROCESSOR_URL: service.address, ...options.env },
  });
}

/** The files below a folder, by their paths in it. */
async function filesIn(name: string): Promise<string[]> {
  const entries = await readdir(join(folder, name), { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return paths.map((path) => path.slice(join(folder, name).length + 1)).sort();
}

async function rowsIn(path: string): Promise<Record<string, unknown>[]> {
  const text = await readFile(join(folder, path), 'utf8');
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

/** Resolves when the journal of `out` has this many lines. */
async function journalHas(lines: number): Promise<void> {
  await mkdir(join(folder, 'out'), { recursive: true });
  const { promise, resolve } = Promise.withResolvers<void>();
  const look = async () => {
    const text = await readFile(join(folder, 'out', 'journal.jsonl'), 'utf8').catch(() => '');
    if (text.split('\n').length > lines) resolve();
  };
  const watcher = watch(join(folder, 'out'), () => void look());
  await look();
  await promise;
  watcher.close();
}

describe('image-client job: folders', () => {
  beforeEach(async () => {
    await mkdir(join(folder, 'photos', 'deep', 'er'), { recursive: true });
    await writeFile(join(folder, 'photos', 'a.jpg'), await encoded(gradient(30, 20), 'jpeg'));
    await writeFile(join(folder, 'photos', 'a.png'), await encoded(redGreenBlue, 'png'));
    await writeFile(join(folder, 'photos', 'deep', 'er', 'b.webp'), await encoded(gradient(8, 8), 'webp'));
    await writeFile(join(folder, 'photos', 'notes.md'), 'no image');
  });

  it('makes tensors in the same tree, and gives two images of one stem two names', async () => {
    const result = await job(['--width', '4', '--height', '2', '--format', 'npy', 'photos', 'out']);
    expect(result).toMatchObject({ code: 0 });
    expect(await filesIn('out')).toEqual(['a.jpg.npy', 'a.png.npy', 'deep/er/b.npy', 'journal.jsonl']);
    const npy = await readFile(join(folder, 'out', 'deep', 'er', 'b.npy'));
    expect(npy.toString('latin1')).toContain("'shape': (1, 1, 2, 4)");
  });

  it('makes images, with the defaults of image-api: 1024 × 768 and gray', async () => {
    const result = await job(['--format', 'jpeg', 'photos', 'out']);
    expect(result).toMatchObject({ code: 0 });
    expect(await filesIn('out')).toEqual(['a.jpg.jpg', 'a.png.jpg', 'deep/er/b.jpg', 'journal.jsonl']);
    expect(await sharp(join(folder, 'out', 'deep', 'er', 'b.jpg')).metadata()).toMatchObject({
      format: 'jpeg',
      width: 1024,
      height: 768,
      channels: 1,
    });
  });

  it("keeps the source's format and name by default", async () => {
    await writeFile(join(folder, 'photos', 'c.gif'), await encoded(gradient(8, 8), 'gif'));
    expect(await job(['--no-scale', 'photos', 'out'])).toMatchObject({ code: 0 });
    expect(await filesIn('out')).toEqual(['a.jpg', 'a.png', 'c.png', 'deep/er/b.webp', 'journal.jsonl']);
    expect(await sharp(join(folder, 'out', 'c.png')).metadata()).toMatchObject({ format: 'png' });
  });

  it('produces an output or a failure with its reason for every image of a folder', async () => {
    await cp(fixtures, join(folder, 'photos', 'all'), { recursive: true });
    await writeFile(join(folder, 'photos', 'text.jpg'), 'no image at all');
    await writeFile(join(folder, 'photos', 'empty.png'), '');
    await writeFile(join(folder, 'photos', 'large.png'), Buffer.alloc(40_000_000, 1));
    const result = await job(['--width', '4', '--height', '2', '--format', 'npy', 'photos', 'out']);
    expect(result.code).toBe(1);
    const failures = await rowsIn('out/failures.jsonl');
    const reasons = new Map(failures.map(({ source, reason }) => [source, reason]));
    const of = (name: string) => reasons.get(join(folder, 'photos', name));
    expect(of('text.jpg')).toBe('FORMAT_UNSUPPORTED');
    expect(of('empty.png')).toBe('SOURCE_EMPTY');
    expect(of('large.png')).toBe('SOURCE_BYTES_OVER_LIMIT');
    expect(failures[0]).toMatchObject({
      message: expect.any(String),
      metadata: {},
      code: expect.any(Number),
    });
    const outputs = (await filesIn('out')).filter((path) => path.endsWith('.npy'));
    const sources = (await filesIn('photos')).filter((path) => !path.endsWith('.md'));
    // Files that are no images and have no extension of one are counted.
    const skipped = Number(/, (\d+) skipped \(/.exec(result.stderr)?.[1]);
    const { length: markdown } = (await filesIn('photos')).filter((path) => path.endsWith('.md'));
    expect(outputs.length + failures.length + skipped).toBe(sources.length + markdown);
    expect(outputs.length).toBeGreaterThan(70);
    for (const path of outputs) {
      const npy = await readFile(join(folder, 'out', path));
      expect(npy.subarray(1, 6).toString()).toBe('NUMPY');
    }
  });

  it('skips finished outputs, and repeats those whose image or options have changed', async () => {
    const parameters = ['--width', '4', '--height', '2', '--format', 'npy', 'photos', 'out'];
    await job(parameters);
    const again = await job(parameters);
    expect(again).toMatchObject({ code: 0 });
    expect(again.stderr).toContain('image-client: 0 images to do, 3 done already, 1 skipped (1 text); ');
    await utimes(join(folder, 'photos', 'a.png'), 1, 1);
    expect((await job(parameters)).stderr).toContain('1 image to do, 2 done already, 1 skipped (1 text); ');
    await rm(join(folder, 'out', 'deep', 'er', 'b.npy'));
    expect((await job(parameters)).stderr).toContain('1 image to do, 2 done already, 1 skipped (1 text); ');
    expect((await job(['--filter', 'bicubic', ...parameters])).stderr).toContain(
      '3 images to do, 1 skipped (1 text); ',
    );
    expect((await job(['--force', '--filter', 'bicubic', ...parameters])).stderr).toContain(
      '3 images to do, 1 skipped (1 text); ',
    );
  });

  it('accepts globs, and files by their names', async () => {
    const options = ['--width', '4', '--height', '2', '--format', 'npy'];
    expect(await job([...options, 'photos/**/*.webp', 'photos/a.png', 'out'])).toMatchObject({ code: 0 });
    expect(await filesIn('out')).toEqual(['a.npy', 'deep/er/b.npy', 'journal.jsonl']);
  });

  it('prints its plan with --dry-run, and changes nothing', async () => {
    const parameters = ['--width', '4', '--height', '2', '--format', 'npy', 'photos', 'out'];
    await job(parameters);
    await utimes(join(folder, 'photos', 'a.png'), 1, 1);
    const before = await filesIn('.');
    const times = (await stat(join(folder, 'out'))).mtimeMs;
    // Nothing listens there: the job must not connect.
    const result = await job(['--dry-run', ...parameters], { env: { IMAGE_PROCESSOR_URL: '127.0.0.1:1' } });
    expect(result).toMatchObject({ code: 0, stderr: '' });
    const lines = result.stdout.toString().trimEnd().split('\n');
    const photos = join(folder, 'photos');
    const { size: bytes } = await stat(join(photos, 'a.png'));
    expect(lines).toEqual([
      `do      ${photos}/a.png -> a.png.npy`,
      `done    ${photos}/a.jpg -> a.jpg.npy`,
      `done    ${photos}/deep/er/b.webp -> deep/er/b.npy`,
      `skip    ${photos}/notes.md: text`,
      `1 to do (1 files of ${bytes} bytes, 0 URLs), 2 done already, 0 refused, 1 skipped (1 text); into out: 4 × 2, gray, npy`,
    ]);
    expect(await filesIn('.')).toEqual(before);
    expect((await stat(join(folder, 'out'))).mtimeMs).toBe(times);
  });

  it('writes nothing but errors with --quiet', async () => {
    const parameters = ['--quiet', '--width', '4', '--height', '2', '--format', 'npy', 'photos', 'out'];
    expect(await job(parameters)).toMatchObject({ code: 0, stderr: '' });
    await writeFile(join(folder, 'photos', 'text.jpg'), 'no image at all');
    expect(await job(parameters)).toMatchObject({
      code: 1,
      stderr: `image-client: 1 image failed; the reasons are in ${join(folder, 'out', 'failures.jsonl')}\n`,
    });
  });

  it('ends with 2 for a missing source, and with 4 when no processor is reachable for too long', async () => {
    expect(await job(['gone', 'out'])).toMatchObject({
      code: 2,
      stderr: 'image-client: INPUT_MISSING: There is no file or folder "gone".\n',
    });
    const away = await job(['--patience', '0.3', 'photos', 'out'], {
      env: { IMAGE_PROCESSOR_URL: '127.0.0.1:1' },
    });
    expect(away.code).toBe(4);
    expect(away.stderr).toMatch(
      /\nimage-client: PROCESSOR_UNAVAILABLE: image-processor at .* cannot be reached .* 0 of 3 are done, and the same command continues from there\.\n$/,
    );
  });
});

/** An origin of images that serves some requests at once and holds the others until `release`. */
async function startSlowOrigin(servedAtOnce: number) {
  const image = await encoded(redGreenBlue, 'png');
  const held: ServerResponse[] = [];
  let isHolding = true;
  const firstHeld = Promise.withResolvers<void>();
  const origin = await startOrigin((_request, response) => {
    if (isHolding && origin.requests.length > servedAtOnce) {
      held.push(response);
      firstHeld.resolve();
    } else {
      response.writeHead(200, { 'content-type': 'image/png' }).end(image);
    }
  });
  return {
    origin,
    firstHeld: firstHeld.promise,
    release() {
      isHolding = false;
      for (const response of held.splice(0))
        response.writeHead(200, { 'content-type': 'image/png' }).end(image);
    },
  };
}

/** The number of requests for each of the origin's paths. */
function requestsByPath({ requests }: Origin): Map<string, number> {
  const times = new Map<string, number>();
  for (const { path } of requests) times.set(path, (times.get(path) ?? 0) + 1);
  return times;
}

describe('image-client job: runs that are cut short', () => {
  const parameters = ['--no-scale', '--format', 'npy', '--in-flight', '8', 'list.txt', 'out'];

  /** A list of 40 URLs of an origin that holds its responses from the 21st on. */
  async function slowList() {
    const slow = await startSlowOrigin(20);
    const urls = Array.from({ length: 40 }, (_, index) => slow.origin.url(`/i/${index}.png`));
    await writeFile(join(folder, 'list.txt'), `${urls.join('\n')}\n`);
    return slow;
  }

  async function expectAllOutputs(): Promise<void> {
    const outputs = await filesIn('out');
    expect(outputs.filter((path) => path.endsWith('.npy')).length).toBe(40);
    expect(outputs.filter((path) => !path.endsWith('.npy'))).toEqual(['journal.jsonl']);
    // A killed run may have recorded an output without placing it; such an output is recorded again.
    const recorded = (await rowsIn('out/journal.jsonl')).map(({ output }) => output);
    expect(new Set(recorded).size).toBe(40);
    for (const path of outputs.filter((each) => each.endsWith('.npy'))) {
      // 128 bytes of header, and three pixels of four bytes.
      expect((await stat(join(folder, 'out', path))).size).toBe(140);
    }
  }

  it('resume after a kill and repeat only the images that were in flight', async () => {
    const slow = await slowList();
    await using origin = slow.origin;
    const killed = await job(parameters, {
      started: (child) =>
        void Promise.all([slow.firstHeld, journalHas(20)]).then(() => child.kill('SIGKILL')),
    });
    expect(killed.signal).toBe('SIGKILL');
    const before = requestsByPath(origin);
    slow.release();
    // As if it had been killed during a write.
    const temporary = `out/.image-client-job-${'0'.repeat(8)}-0000-4000-8000-${'0'.repeat(12)}.tmp`;
    await writeFile(join(folder, temporary), 'half');
    const journal = await readFile(join(folder, 'out', 'journal.jsonl'), 'utf8');
    await writeFile(join(folder, 'out', 'journal.jsonl'), `${journal}{"source":"http://127.0.0.1:`);

    // An output is recorded before it gets its name.
    const outputs = (await filesIn('out')).filter((path) => path.endsWith('.npy'));
    expect(outputs.length).toBeGreaterThan(20 - 8);

    const resumed = await job(parameters);
    expect(resumed).toMatchObject({ code: 0 });
    expect(resumed.stderr).toContain(
      `image-client: ${40 - outputs.length} images to do, ${outputs.length} done already; `,
    );
    await expectAllOutputs();
    const twice = [...requestsByPath(origin)].filter(([, times]) => times > 1).map(([path]) => path);
    expect(twice.length).toBeLessThanOrEqual(8);
    const entries = journal
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const done = entries.filter(({ output }) => outputs.includes(output));
    const paths = done.map(({ source }) => new URL(source).pathname);
    expect(twice.filter((path) => paths.includes(path))).toEqual([]);
    expect(before.size).toBeLessThanOrEqual(28);
  });

  it('end with 130 at Ctrl+C and resume from there', async () => {
    const slow = await slowList();
    await using _origin = slow.origin;
    const interrupted = await job(parameters, {
      started: (child) => void Promise.all([slow.firstHeld, journalHas(20)]).then(() => child.kill('SIGINT')),
    });
    expect(interrupted.code).toBe(130);
    expect(interrupted.stderr).toMatch(
      /\nimage-client: INTERRUPTED: 20 of 40 are done, and the same command continues from there\.\n$/,
    );
    expect((await filesIn('out')).filter((path) => !path.endsWith('.npy'))).toEqual(['journal.jsonl']);
    slow.release();
    expect(await job(parameters)).toMatchObject({ code: 0 });
    await expectAllOutputs();
  });

  it('refuse to share their folder', async () => {
    const slow = await slowList();
    await using _origin = slow.origin;
    let second: Promise<Run> | undefined;
    const first = await job(parameters, {
      started: () =>
        void slow.firstHeld.then(() => {
          second = job(parameters);
          void second.finally(slow.release);
        }),
    });
    expect(await second).toMatchObject({
      code: 5,
      stderr: expect.stringMatching(/^image-client: OUTPUT_BUSY: Another run \(process \d+ on /),
    });
    expect(first).toMatchObject({ code: 0 });
    await expectAllOutputs();
  });

  it.each(['SIGKILL', 'SIGTERM'] as const)(
    'go on by themselves when the processor gets %s and comes back',
    async (signal) => {
      const first = await startService({ processor: allowed });
      const slow = await slowList();
      await using _origin = slow.origin;
      let second: Promise<Service> | undefined;
      const result = await job(parameters, {
        env: { IMAGE_PROCESSOR_URL: first.address },
        started: () =>
          void Promise.all([slow.firstHeld, journalHas(20)]).then(async () => {
            first.processor.kill(signal);
            // It may finish the images in work.
            if (signal === 'SIGTERM') slow.release();
            await first.processor.exited;
            const PORT = first.address.split(':')[1] ?? '';
            second = startService({ processor: { ...allowed, PORT } });
            await second;
            slow.release();
          }),
      });
      await first.stop();
      await (await second)?.stop();
      expect(result).toMatchObject({ code: 0 });
      expect(result.stderr).toContain('image-client: waiting for image-processor at ');
      await expectAllOutputs();
    },
    60_000,
  );
});

describe('image-client job: lists', () => {
  it('reads URLs and names from a table, refuses names outside of the folder, and forgets resolved failures', async () => {
    const image = await encoded(redGreenBlue, 'png');
    let isThere = false;
    await using origin = await startOrigin(({ url }, response) => {
      if (url === '/late.png' && !isThere) response.writeHead(404).end();
      else response.writeHead(200, { 'content-type': 'image/png' }).end(image);
    });
    const table = [
      'id,image',
      `cats/1,${origin.url('/x.png?n=1')}`,
      `cats/2,${origin.url('/late.png')}`,
      `../../escape,${origin.url('/x.png?n=3')}`,
      ',../../../etc/passwd',
    ];
    await writeFile(join(folder, 'list.csv'), table.join('\n'));
    const options = ['--column', 'image', '--name-column', 'id', '--no-scale', '--format', 'png'];
    expect((await job([...options, 'list.csv', 'out'])).code).toBe(1);
    expect(await filesIn('out')).toEqual(['cats/1.png', 'failures.jsonl', 'journal.jsonl']);
    const failures = (await rowsIn('out/failures.jsonl')).map(({ source, reason, code }) => [
      source,
      reason,
      code,
    ]);
    expect(failures.toSorted()).toEqual(
      [
        [origin.url('/x.png?n=3'), 'NAME_FORBIDDEN', 7],
        ['../../../etc/passwd', 'PATH_FORBIDDEN', 7],
        [origin.url('/late.png'), 'ORIGIN_STATUS', 9],
      ].toSorted(),
    );

    isThere = true;
    await writeFile(join(folder, 'list.csv'), table.slice(0, 3).join('\n'));
    expect(await job([...options, 'list.csv', 'out'])).toMatchObject({ code: 0 });
    expect(await filesIn('out')).toEqual(['cats/1.png', 'cats/2.png', 'journal.jsonl']);
    expect(requestsByPath(origin).get('/x.png?n=1')).toBe(1);
  });

  it('reads paths from standard input, below --base', async () => {
    await mkdir(join(folder, 'photos'));
    await writeFile(join(folder, 'photos', 'a.png'), await encoded(redGreenBlue, 'png'));
    const input = `# mine\n${join(folder, 'photos', 'a.png')}\n`;
    const options = ['--base', 'photos', '--no-scale', '--format', 'npy'];
    expect(await job([...options, '-', 'out'], { input })).toMatchObject({ code: 0 });
    expect(await filesIn('out')).toEqual(['a.npy', 'journal.jsonl']);
  });
});

/** `script` runs a program on a terminal of its own. */
const script = findProgram('script');

describe('image-client job: progress', () => {
  beforeEach(async () => {
    await mkdir(join(folder, 'photos'));
    await writeFile(join(folder, 'photos', 'a.png'), await encoded(redGreenBlue, 'png'));
    await writeFile(join(folder, 'photos', 'text.png'), 'no image at all');
  });

  it('is plain lines where standard error is no terminal', async () => {
    const result = await job(['--no-scale', '--format', 'npy', 'photos', 'out']);
    expect(result.stderr).toMatch(
      /^image-client: 2 images to do; size kept, gray, npy\nimage-client: 1 done in \d+ s \(.*\/s\), 1 failed\nimage-client: 1 image failed; .*\n$/,
    );
  });

  it.skipIf(script === undefined)('is a bar on a terminal, and is wiped at the end', async () => {
    const command = `'${process.execPath}' '${program}' job --no-scale --format npy photos out`;
    const result = await run(script ?? '', ['--quiet', '--return', '--command', command, '/dev/null'], {
      cwd: folder,
      env: { IMAGE_PROCESSOR_URL: service.address },
    });
    expect(result.code).toBe(1);
    const shown = result.stdout.toString();
    expect(shown).toContain('\r\u001b[K░░░░░');
    expect(shown).toContain('░ 0 of 2 (0 %), ');
    // The text of the last lines after everything that was wiped.
    const last = shown.split('\r\n').map((line) => line.split('\r\u001b[K').at(-1));
    expect(last.join('\n')).toMatch(
      /^image-client: 2 images to do; .*\nimage-client: 1 done in .*, 1 failed\nimage-client: 1 image failed; .*\n$/,
    );
  });
});
