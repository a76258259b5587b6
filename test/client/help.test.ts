import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { ImageFormat, ImageFormatSchema } from '../../gen/image/v1/processor_pb.ts';
import { exitCodes } from '../../src/client/client-error.ts';
import { commands, flagsOf, tableOf } from '../../src/client/commands.ts';
import { commandHelp, optionalFormats, readFormats, styleFor } from '../../src/client/help.ts';
import { readJobArguments } from '../../src/client/job/job-arguments.ts';
import { imageOptionNames } from '../../src/options/image-options.ts';
import { run } from '../support/run.ts';

const source = fileURLToPath(new URL('../../src/client', import.meta.url));
const names = ['send', ...(Object.keys(commands) as (keyof typeof commands)[])] as const;
const plain = { width: 80, isBold: false };

describe(commandHelp, () => {
  it.each(names)('of %s comes with --help, -h and the command help', async (name) => {
    const word = name === 'send' ? [] : [name];
    for (const argv of [
      [...word, '--help'],
      [...word, '-h', 'a', 'b', 'c'],
      ['help', ...word],
    ]) {
      const result = await run(process.execPath, [`${source}/main.ts`, ...argv], { env: { COLUMNS: '' } });
      expect(result).toMatchObject({ code: 0, stderr: '' });
      expect(result.stdout.toString()).toBe(commandHelp(name, plain));
    }
  });

  it.each(names)('of %s has every flag once, examples, exit codes and the environment', (name) => {
    const help = commandHelp(name, plain);
    const { environment, exits } = tableOf(name);
    for (const [flag, { short }] of Object.entries(flagsOf(tableOf(name)))) {
      const start = short === undefined ? ' {2,6}' : ` {2}-${short}, `;
      expect(help.match(new RegExp(`^${start}--${flag}(?=[ ,\\n])`, 'gm')), flag).toHaveLength(1);
    }
    expect(help).toContain('\nExamples:\n  ');
    for (const end of exits) expect(help).toMatch(new RegExp(`^ {2}${exitCodes[end].code} +\\w`, 'm'));
    for (const variable of environment) expect(help).toMatch(new RegExp(`^ {2}${variable} `, 'm'));
    expect(help).not.toContain('undefined');
  });

  it.each([60, 80, 100])('fits into %i columns', (width) => {
    for (const name of names) {
      const lines = commandHelp(name, { width, isBold: false }).split('\n');
      // A command line is not broken.
      const long = lines.filter((line) => line.length > width && !/image-client|^ *\S+$/.test(line));
      expect(long).toEqual([]);
    }
  });

  it('begins with what it is, then common options, and ends with the environment', () => {
    const headings = [...commandHelp('job', plain).matchAll(/^([A-Z][\w ]+):(?=\n| image-client)/gm)].map(
      ([, title]) => title,
    );
    expect(headings).toEqual([
      ...[
        'Usage',
        'Common options',
        'A model',
        'A page of a document',
        'Size',
        'Colour and orientation',
        'Output',
        'Tensor',
        'Object storage',
      ],
      ...['Arithmetic', 'Lists', 'The job', 'Connection', 'Examples', 'Formats', 'Exit codes', 'Environment'],
    ]);
  });

  it('has a flag for every option of an image, with the rule that checks it', () => {
    const help = commandHelp('send', { width: 1000, isBold: false });
    for (const name of imageOptionNames) expect(help).toContain(`\n  --${name.replaceAll('_', '-')}`);
    expect(help).toMatch(/--quality VALUE .*\(a whole number from 1 to 100\)\n/);
    expect(help).toMatch(/--grayscale, --no-grayscale {2}/);
  });

  it('without a command lists the commands', () => {
    expect(commandHelp('send', plain)).toMatch(
      /\n {2}job +many images.*\n {2}corpus +a list .*\n {2}describe .*\n {2}skew +what made .*\n(?: {4,}.*\n)* {2}presets .*\n {2}doctor .*\n {2}completion /,
    );
  });

  it('names the formats that services read', () => {
    const known = ImageFormatSchema.values.filter(({ number }) => number !== ImageFormat.UNSPECIFIED);
    const shown = [...readFormats, ...optionalFormats].map((format) => format.toUpperCase());
    expect(shown.toSorted()).toEqual(known.map(({ localName }) => localName).toSorted());
  });

  it('has bold headings only on a terminal, and none with NO_COLOR', () => {
    const terminal = { isTTY: true, columns: 120 };
    expect(styleFor(terminal, {})).toEqual({ width: 100, isBold: true });
    expect(styleFor(terminal, { NO_COLOR: '1' })).toMatchObject({ isBold: false });
    expect(styleFor({ isTTY: true, columns: 0 }, { TERM: 'dumb' })).toEqual(plain);
    expect(styleFor({}, { COLUMNS: '60' })).toEqual({ width: 60, isBold: false });
    expect(commandHelp('doctor', styleFor(terminal, {}))).toContain('\u001b[1mCommon options:\u001b[22m\n');
    expect(commandHelp('doctor', styleFor({}, {}))).not.toContain('\u001b');
  });
});

describe(readJobArguments, () => {
  const complaint = (...argv: string[]): string => {
    try {
      readJobArguments(argv, {});
    } catch (error) {
      return String(error);
    }
    return '';
  };

  it('reads sources and an output folder', () => {
    expect(readJobArguments(['a', 'b', 'out'], { IMAGE_PROCESSOR_URL: 'http://h:1' })).toMatchObject({
      sources: ['a', 'b'],
      output: 'out',
      list: { column: 'url' },
      limits: {
        inFlight: 32,
        bytes: 134_217_728,
        tries: 5,
        patienceMs: 60_000,
        perHost: 8,
        hostPatienceMs: 300_000,
      },
      force: false,
      overwrite: false,
      strict: false,
    });
    expect(readJobArguments(['a', '-o', 'out', 'b', '--in-flight', '3'], {})).toMatchObject({
      sources: ['a', 'b'],
      output: 'out',
      limits: { inFlight: 3 },
    });
  });

  it.each([
    [[], {}, 'image-api', 'http://localhost:8080/'],
    [[], { IMAGE_API_URL: 'h:1' }, 'image-api', 'http://h:1/'],
    [[], { IMAGE_API_URL: 'h:1', IMAGE_PROCESSOR_URL: 'h:2' }, 'image-processor', 'http://h:2/'],
    [['--api', 'h:3'], { IMAGE_PROCESSOR_URL: 'h:2' }, 'image-api', 'http://h:3/'],
    [['--processor', 'h:4'], { IMAGE_API_URL: 'h:1' }, 'image-processor', 'http://h:4/'],
  ])('with %j and %j sends to %s at %s', (argv, environment: Record<string, string>, name, href) => {
    const { service } = readJobArguments([...argv, 'a', 'out'], { ...environment, IMAGE_API_KEY: 'key' });
    expect([service.name, 'url' in service && service.url.href]).toEqual([name, href]);
    expect('apiKey' in service && service.apiKey).toBe(name === 'image-api' && 'key');
  });

  it('with --local calls no service, whatever addresses the environment has', () => {
    const environment = { IMAGE_PROCESSOR_URL: 'h:2', WORKERS: '1' };
    const { service } = readJobArguments(['--local', 'a', 'out'], environment);
    expect(service).toEqual({ name: 'local', environment });
  });

  it.each([
    [[], 'SOURCE and OUTPUT_FOLDER are needed, got nothing; see job --help.'],
    [['a'], 'SOURCE and OUTPUT_FOLDER are needed, got "a"; see job --help.'],
    [
      ['a', 'http://h/'],
      'The last argument is the output folder, which "http://h/" cannot be; see job --help.',
    ],
    [['a', '-o', '-'], 'The value of --output is the output folder, which "-" cannot be; see job --help.'],
    [['--api', 'a', '--processor', 'b', 'a', 'b'], '--api and --processor exclude each other'],
    [['--local', '--processor', 'b', 'a', 'b'], '--processor and --local exclude each other'],
    [['-qv', 'a', 'b'], '--quiet and --verbose exclude each other.'],
    [['--dry', 'a', 'b'], "Unknown option '--dry'; --help lists the flags."],
    [['--dryrun', 'a', 'b'], "Unknown option '--dryrun'; did you mean --dry-run? --help lists the flags."],
    [['--in-flight', '0', 'a', 'b'], '--in-flight is "0"; allowed: a whole number from 1 to 1024.'],
    [['--fit', 'x', 'a', 'b'], '--fit is "x"; allowed: one of fill, cover, contain, inside, outside.'],
    [
      ['--quality', '9', '--format', 'npy', 'a', 'b'],
      '--quality is for JPEG and WebP and --format is npy; leave --quality out or ask for another --format.',
    ],
  ])('refuses %j', (argv, line) => {
    expect(complaint(...argv)).toContain(line);
  });
});

describe('the client', () => {
  it('imports neither service, but for the processor of --local, which is loaded when it is asked for', () => {
    const files = readdirSync(source, { recursive: true }).map(String);
    const statements = files
      .filter((path) => path.endsWith('.ts'))
      .flatMap((path) => [
        ...readFileSync(`${source}/${path}`, 'utf8').matchAll(/(?:from|import\() ?'[^']+'/g),
      ])
      .map(([statement]) => statement);
    expect(statements.length).toBeGreaterThan(50);
    expect(statements.filter((statement) => /\/(api|processor)\//.test(statement))).toEqual([
      "import('../../../processor/local.ts'",
    ]);
  });
});
