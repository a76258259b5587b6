import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encoded, photoLike } from '../support/pictures.ts';
import { type Run, run } from '../support/run.ts';
import { type Service, startService } from '../support/service.ts';

/* Tensors that the service itself makes with other options stand for those of another program. */

const program = fileURLToPath(new URL('../../src/client/main.ts', import.meta.url));
const preset = ['--preset', 'google/vit-base-patch16-224'];

let service: Service;
let folder: string;

async function client(parameters: readonly string[], options: Parameters<typeof run>[2] = {}): Promise<Run> {
  const env = { IMAGE_API_URL: service.url, IMAGE_API_KEY: undefined, IMAGE_PROCESSOR_URL: undefined };
  return await run(process.execPath, [program, ...parameters], {
    cwd: folder,
    ...options,
    env: { ...env, ...options.env },
  });
}

const skew = (...parameters: string[]) => client(['skew', ...parameters]);

/** Writes a tensor of photo.jpg. */
async function makeTensor(name: string, ...options: string[]): Promise<void> {
  expect(await client([...options, 'photo.jpg', name])).toMatchObject({ code: 0, stderr: '' });
}

/** The values of right.npy, each changed by a function, in a .npy with the same header. */
async function changed(name: string, change: (value: number, index: number) => number): Promise<void> {
  const bytes = await readFile(join(folder, 'right.npy'));
  const start = 10 + bytes.readUInt16LE(8);
  const values = new Float32Array(
    bytes.buffer.slice(bytes.byteOffset + start, bytes.byteOffset + bytes.length),
  );
  const data = Buffer.from(values.map(change).buffer);
  await writeFile(join(folder, name), Buffer.concat([bytes.subarray(0, start), data]));
}

beforeAll(async () => {
  service = await startService();
  folder = await mkdtemp(join(tmpdir(), 'image-client-skew-'));
  await mkdir(join(folder, 'golden'));
  await writeFile(join(folder, 'photo.jpg'), await encoded(photoLike(320, 240), 'jpeg'));
  await makeTensor('right.npy', ...preset);
  await makeTensor(
    'pillow-box.npy',
    '--width',
    '224',
    '--height',
    '224',
    '--filter',
    'box',
    '--no-grayscale',
    '--mean',
    '0.5',
    '--std',
    '0.5',
  );
  await changed('near.npy', (value, index) => value + (index % 2 === 0 ? 0.003 : 0));
  const bytes = await readFile(join(folder, 'right.npy'));
  await writeFile(join(folder, 'raw.bin'), bytes.subarray(10 + bytes.readUInt16LE(8)));
}, 60_000);
afterAll(async () => {
  await service.stop();
  await rm(folder, { recursive: true });
});

// Each test starts several processes, and a search takes seconds.
describe('image-client skew', { timeout: 120_000 }, () => {
  it('ends with 0 for an equal tensor, through both services and from raw values', async () => {
    const equal = { code: 0, stderr: '' };
    const results = await Promise.all([
      skew(...preset, 'photo.jpg', 'right.npy'),
      skew(...preset, '--processor', service.address, 'photo.jpg', 'right.npy'),
      skew(...preset, '--shape', '1,3,224,224', '--datatype', 'fp32', 'photo.jpg', 'raw.bin'),
    ]);
    for (const result of results) expect(result).toMatchObject(equal);
    expect(results[0]?.stdout.toString()).toBe('Equal: right.npy has 150528 values, and all are right.\n');
  });

  it('prints the sentence, the steps and the figures of a tensor that differs, and ends with 1', async () => {
    const result = await skew(...preset, '--map', 'map.png', '--python', 'photo.jpg', 'pillow-box.npy');
    expect(result).toMatchObject({ code: 1, stderr: '' });
    const [sentence, empty, heading, ...rest] = result.stdout.toString().split('\n');
    expect(sentence).toMatch(/^Yours is .*\bbox\b/);
    expect(empty).toBe('');
    expect(heading).toMatch(/^ {2}step +yours +expected$/);
    expect(rest.join('\n')).toMatch(/^ {2}filter +box +bilinear$/m);
    expect(rest.join('\n')).toMatch(/^[\d.]+ % of the 150528 values differ: mean [\d.]+, largest [\d.]+$/m);
    expect(rest.join('\n')).toContain('AutoImageProcessor.from_pretrained("google/vit-base-patch16-224")');
    expect(await sharp(join(folder, 'map.png')).metadata()).toMatchObject({ format: 'png', width: 224 });
  });

  it('accepts a difference within the tolerance', async () => {
    const [within, beyond, without] = await Promise.all([
      skew(...preset, '--tolerance', '0.0031', 'photo.jpg', 'near.npy'),
      skew(...preset, '--tolerance', '0.01,share:0.4', 'photo.jpg', 'near.npy'),
      skew(...preset, '--tolerance', 'mean:1', '--quiet', 'photo.jpg', 'pillow-box.npy'),
    ]);
    expect(within).toMatchObject({ code: 0, stderr: '' });
    expect(within.stdout.toString()).toContain(
      'Within the tolerance: largest difference 0.003, allowed 0.0031.',
    );
    expect(beyond.code).not.toBe(0);
    expect(without).toMatchObject({ code: 0, stderr: '' });
    expect(without.stdout.toString()).toBe('');
  });

  it('prints JSON, of one pair as image-api responds, of several as a list', async () => {
    const one = await skew(...preset, '--json', 'photo.jpg', 'right.npy');
    expect(JSON.parse(one.stdout.toString())).toMatchObject({
      equal: true,
      given: { shape: [1, 3, 224, 224] },
    });
    const two = await skew(...preset, '--json', 'photo.jpg', 'right.npy', 'photo.jpg', 'pillow-box.npy');
    expect(two.code).toBe(1);
    const { overall, pairs } = JSON.parse(two.stdout.toString());
    expect(overall).toMatchObject({ equal: false, pairs: 2, failed: 0, cause: { pairs: 1 } });
    expect(pairs).toMatchObject([{ equal: true }, { equal: false, cause: { sentence: expect.any(String) } }]);
  });

  it.each([
    [['missing.jpg', 'right.npy'], 2, 'INPUT_MISSING'],
    [['photo.jpg', 'photo.txt'], 2, 'INPUT_MISSING'],
    [['photo.jpg'], 2, 'USAGE'],
    [['--preset', 'no-such-preset', 'photo.jpg', 'right.npy'], 3, 'PRESET_UNKNOWN'],
    [['right.npy', 'right.npy'], 3, 'FORMAT_UNSUPPORTED'],
    [['--api', 'localhost:1', 'photo.jpg', 'right.npy'], 4, 'SERVICE_UNREACHABLE'],
    [['--processor', 'localhost:1', 'photo.jpg', 'right.npy'], 4, 'PROCESSOR_UNAVAILABLE'],
  ])('ends %j with %d', async (parameters, code, reason) => {
    const result = await skew(...preset, ...parameters);
    expect(result.stderr).toMatch(new RegExp(`^image-client: ${reason}: .+\\n$`));
    expect(result).toMatchObject({ code });
  });
});

describe('image-client skew --check', { timeout: 120_000 }, () => {
  const lines = [
    { image: 'photo.jpg', tensor: 'right.npy' },
    { image: 'photo.jpg', tensor: 'near.npy', tolerance: 0.01 },
    { image: 'photo.jpg', tensor: 'pillow-box.npy', name: 'the box filter' },
    { image: 'gone.jpg', tensor: 'right.npy' },
    { image: 'photo.jpg', tensor: 'right.npy', preset: 'no-such-preset' },
  ];
  const check = async (some: readonly object[], ...parameters: string[]) => {
    await writeFile(join(folder, 'golden.jsonl'), some.map((line) => `${JSON.stringify(line)}\n`).join(''));
    return await skew('--check', 'golden.jsonl', ...preset, ...parameters);
  };

  it('passes if every pair is equal or within its tolerance', async () => {
    const result = await check(lines.slice(0, 2), '--report', 'junit.xml');
    expect(result).toMatchObject({ code: 0, stderr: '' });
    expect(result.stdout.toString()).toMatch(
      /^2 pairs: 1 equal, 1 within the tolerance, 0 different, in \d+ s\n$/,
    );
    expect(await readFile(join(folder, 'junit.xml'), 'utf8')).toContain('tests="2" failures="0" errors="0"');
  });

  it('names each problem once with its pairs, and reports all of them', async () => {
    const result = await check(lines, '--report', 'report.json');
    expect(result.code).toBe(1);
    const text = result.stdout.toString();
    expect(text).toMatch(
      /^Yours is .*\n {2}step .*\n(?: {2}.*\n)+- line 3: the box filter: largest difference [\d.]+, and no tolerance$/m,
    );
    expect(text).toMatch(
      /^INPUT_MISSING: "image" is "gone.jpg". There is no such file.\n- line 4: gone.jpg, right.npy$/m,
    );
    expect(text).toMatch(/^PRESET_UNKNOWN: .*\n- line 5: photo.jpg, right.npy$/m);
    expect(text).toMatch(
      /\n5 pairs: 1 equal, 1 within the tolerance, 1 different, 2 not compared, in \d+ s\n$/,
    );
    const report = JSON.parse(await readFile(join(folder, 'report.json'), 'utf8'));
    expect(report).toMatchObject({ passed: false, total: 5, equal: 1, within: 1, different: 1, failed: 2 });
    expect(report.pairs.map(({ verdict }: { verdict: string }) => verdict)).toEqual([
      ...['equal', 'within', 'different', 'failed', 'failed'],
    ]);
    expect(report.pairs[2]).toMatchObject({
      line: 3,
      name: 'the box filter',
      cause: { steps: expect.arrayContaining([{ name: 'filter', yours: 'box', expected: 'bilinear' }]) },
    });
    expect(report.pairs[4].problem).toMatchObject({ reason: 'PRESET_UNKNOWN', retryable: false });
  });

  it('gives the same report over image-processor, from standard input', async () => {
    const input = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
    const parameters = [
      'skew',
      '--check',
      '-',
      ...preset,
      '--json',
      '--quiet',
      '--processor',
      service.address,
    ];
    const result = await client(parameters, { input });
    expect(result).toMatchObject({ code: 1, stderr: '' });
    expect(JSON.parse(result.stdout.toString())).toMatchObject({
      list: '-',
      equal: 1,
      within: 1,
      different: 1,
      failed: 2,
    });
  });

  it('ends with 4 if the service is away for longer than its patience, and with 2 for a list without lines', async () => {
    const away = await check(lines, '--api', 'localhost:1', '--patience', '0.5');
    expect(away).toMatchObject({ code: 4, stderr: expect.stringContaining('SERVICE_UNREACHABLE') });
    expect(await check([])).toMatchObject({ code: 2, stderr: expect.stringContaining('LIST_EMPTY') });
  });
});
