import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readArguments } from '../../src/client/arguments.ts';
import { ClientError } from '../../src/client/client-error.ts';

/** The image options of a command line that sends an image. */
function optionsOf(...argv: string[]): Readonly<Record<string, string>> {
  return readArguments(argv, {}).options;
}

/** The message for a bad command line. */
function complaint(...argv: string[]): string {
  try {
    readArguments(argv, {});
  } catch (error) {
    if (error instanceof ClientError && error.end === 'usage') return `${error.reason}: ${error.message}`;
    throw error;
  }
  throw new Error('the command line was taken');
}

describe(readArguments, () => {
  it('reads an input and an output, and leaves every option to the service', () => {
    expect(readArguments(['photo', 'output'], {})).toEqual({
      source: { path: 'photo' },
      output: 'output',
      options: {},
      overwrite: true,
      api: new URL('http://localhost:8080'),
      apiKey: undefined,
      timeoutMs: 60_000,
      print: 'warnings',
    });
  });

  it('reads a URL in place of the input', () => {
    expect(readArguments(['--url', 'https://example.com/a.jpg', 'output'], {})).toMatchObject({
      source: { url: 'https://example.com/a.jpg' },
      output: 'output',
    });
  });

  it('reads a dash as input and output', () => {
    expect(readArguments(['-', '-'], {})).toMatchObject({ source: { path: '-' }, output: '-' });
  });

  it('turns flags into options by the names of the API, with underscores', () => {
    expect(optionsOf('--width', '224', '--height=160', '--channel-order', 'bgr', 'a', 'b')).toEqual({
      width: '224',
      height: '160',
      channel_order: 'bgr',
    });
  });

  it('turns --grayscale into true and --no-grayscale into false', () => {
    expect(optionsOf('--grayscale', '--no-scale', 'a', 'b')).toEqual({ grayscale: 'true', scale: 'false' });
    expect(optionsOf('--no-grayscale', 'a', 'b')).toEqual({ grayscale: 'false' });
  });

  it('accepts values that begin with a minus after an equals sign', () => {
    expect(optionsOf('--mean=-1,0.5,1', 'a', 'b')).toEqual({ mean: '-1,0.5,1' });
  });

  it.each([
    ['output.jpg', 'jpeg'],
    ['output.JPEG', 'jpeg'],
    ['folder.png/output.png', 'png'],
    ['output.webp', 'webp'],
    ['output.npy', 'npy'],
    ['output.safetensors', 'safetensors'],
    ['output.npz', 'npz'],
  ])('lets the ending of %s ask for %s', (output, format) => {
    expect(optionsOf('photo.tiff', output)).toEqual({ format });
  });

  it.each(['output', 'folder.png/output', '-', '.png'])(
    'lets the service choose the format of %s',
    (output) => {
      expect(optionsOf('photo.tiff', output)).toEqual({});
    },
  );

  it('prefers --format to the ending', () => {
    expect(optionsOf('--format', 'raw', 'photo.jpg', 'output.bin')).toEqual({ format: 'raw' });
    expect(optionsOf('--format', 'png', 'photo.jpg', 'output.jpg')).toEqual({ format: 'png' });
  });

  it('reads a preprocessor config as its JSON, or as the path of a file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'image-client-config-'));
    const path = join(folder, 'preprocessor_config.json');
    const config = '{\n  "do_resize": true\n}\n';
    await writeFile(path, `\uFEFF${config}`);
    for (const given of [config, path, `@${path}`]) {
      expect(optionsOf('--preprocessor-config', given, 'a', 'b')).toEqual({ preprocessor_config: config });
    }
    expect(complaint('--preprocessor-config', join(folder, 'gone'), 'a', 'b')).toBe(
      `INPUT_MISSING: There is no file "${join(folder, 'gone')}"; --preprocessor-config takes a path, or the JSON itself.`,
    );
    await rm(folder, { recursive: true });
  });

  it('takes the service from --api, then from the environment', () => {
    const api = (argv: string[], environment: string) =>
      readArguments([...argv, 'a', 'b'], { IMAGE_API_URL: environment });
    expect(api([], 'http://images.example:81/prefix').api.href).toBe('http://images.example:81/prefix');
    expect(api(['--api', 'https://other.example'], 'http://images.example').api.href).toBe(
      'https://other.example/',
    );
    expect(api([], '').api.href).toBe('http://localhost:8080/');
  });

  it('takes the API key from --api-key, then from the environment', () => {
    const key = (argv: string[], environment?: string) =>
      readArguments([...argv, 'a', 'b'], { IMAGE_API_KEY: environment }).apiKey;
    expect(key([], 'of-environment')).toBe('of-environment');
    expect(key(['--api-key', 'of-flag'], 'of-environment')).toBe('of-flag');
    expect(key([], '')).toBeUndefined();
  });

  it('accepts fractions of a second as --timeout', () => {
    expect(readArguments(['--timeout', '0.5', 'a', 'b'], {})).toMatchObject({ timeoutMs: 500 });
  });

  it('reads the output from -o, and what to print from -q, -v and --json', () => {
    expect(readArguments(['photo', '-o', 'out.npy', '-v'], {})).toMatchObject({
      output: 'out.npy',
      options: { format: 'npy' },
      print: 'details',
    });
    expect(readArguments(['-qo', 'out', '--url', 'http://h/a'], {})).toMatchObject({ print: 'nothing' });
    expect(readArguments(['--json', '--no-overwrite', 'a', 'b'], {})).toMatchObject({
      print: 'json',
      overwrite: false,
    });
  });

  it.each([
    [[], 'USAGE: INPUT and OUTPUT are needed, got nothing; see --help.'],
    [['a'], 'USAGE: INPUT and OUTPUT are needed, got "a"; see --help.'],
    ...['b.tiff', 'b.gif', 'b.HEIC', 'b.raw'].map((output): [string[], string] => [
      ['a', output],
      `USAGE: "${output}" has an ending of no output format; use .jpg, .jpeg, .jpe, .jfif, .png, .webp, .npy, .safetensors or .npz, or give --format.`,
    ]),
    [
      ['a', 'b', 'c'],
      'USAGE: INPUT and OUTPUT are needed, got "a" "b" "c"; for many images use "image-client job"; see --help.',
    ],
    [['-o', 'a', 'b', 'c'], 'USAGE: INPUT is needed with --output, got "b" "c"; see --help.'],
    [
      ['-o', 'a', '--url', 'http://x/', 'b'],
      'USAGE: Nothing else is taken with --url and --output, got "b"; see --help.',
    ],
    [['-qv', 'a', 'b'], 'USAGE: --quiet and --verbose exclude each other.'],
    [
      ['--json', 'a', '-'],
      'USAGE: --json and the image cannot both be on standard output; name a file as OUTPUT.',
    ],
    [['a', 'b.json'], 'USAGE: "b.json" can be of 2 formats; give --format vllm or --format open_inference.'],
    [['--url', 'http://x/', 'a', 'b'], 'USAGE: OUTPUT is needed with --url, got "a" "b"; see --help.'],
    [
      ['--wdth', '3', 'a', 'b'],
      "USAGE: Unknown option '--wdth'; did you mean --width? --help lists the flags.",
    ],
    [
      ['--no-grayscal', 'a', 'b'],
      "USAGE: Unknown option '--no-grayscal'; did you mean --grayscale? --help lists the flags.",
    ],
    [['--xyzzyx', 'a', 'b'], "USAGE: Unknown option '--xyzzyx'; --help lists the flags."],
    [
      ['jbo', 'a', 'b'],
      'USAGE: INPUT and OUTPUT are needed, got "jbo" "a" "b"; did you mean the command job? see --help.',
    ],
    [
      ['job', 'a', 'b'],
      'USAGE: INPUT and OUTPUT are needed, got "job" "a" "b"; a command comes first, as in "image-client job …"; see --help.',
    ],
    [
      ['--api-key', 'a b', 'a', 'b'],
      'USAGE: --api-key has a space or another character that no API key has, or is empty.',
    ],
    [['a', 'b', '--width'], "USAGE: Option '--width <value>' argument missing; --help lists the flags."],
    [['--width', '0', 'a', 'b'], 'OPTION_INVALID: --width is "0"; allowed: a whole number from 1 to 65535.'],
    [
      ['--channel-order', 'gbr', 'a', 'b'],
      'OPTION_INVALID: --channel-order is "gbr"; allowed: one of rgb, bgr.',
    ],
    [['--timeout', '0', 'a', 'b'], 'USAGE: --timeout is "0"; allowed: seconds above 0, such as 60 or 0.5.'],
  ])('refuses %j', (argv, line) => {
    expect(complaint(...argv)).toBe(line);
  });
});
