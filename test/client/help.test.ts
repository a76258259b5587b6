import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { commands } from '../../src/client/commands.ts';
import { commandHelp } from '../../src/client/help.ts';
import { readJobArguments } from '../../src/client/job/job-arguments.ts';
import { run } from '../support/run.ts';

const source = fileURLToPath(new URL('../../src/client', import.meta.url));

describe(commandHelp, () => {
  it.each(Object.keys(commands) as (keyof typeof commands)[])(
    'of %s comes with --help, has examples and exit codes, and names no flag twice',
    async (name) => {
      const result = await run(process.execPath, [`${source}/main.ts`, name, '--help']);
      expect(result).toMatchObject({ code: 0, stderr: '' });
      const help = result.stdout.toString();
      expect(help).toBe(commandHelp(name));
      expect(help).toMatch(new RegExp(`^Usage: image-client ${name} `));
      expect(help).toMatch(new RegExp(`\\nExamples:\\n\\n.*image-client ${name} `));
      expect(help).toMatch(/\n {2}0 {2,}done\n/);
      const flags = [...help.matchAll(/\n {2}(--[\w-]+)/g)].map(([, flag]) => flag);
      expect(new Set(flags).size).toBe(flags.length);
      expect(help).not.toContain('undefined');
    },
  );

  it('without a command lists the commands', () => {
    expect(commandHelp('send')).toMatch(
      /\n {2}job +many images.*\n {2}describe .*\n {2}presets .*\n {2}doctor .*\n {2}completion /,
    );
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

  it('reads sources and an output folder, and the processor from flag or environment', () => {
    expect(readJobArguments(['a', 'b', 'out'], { IMAGE_PROCESSOR_URL: 'http://h:1' })).toMatchObject({
      sources: ['a', 'b'],
      output: 'out',
      processor: new URL('http://h:1'),
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
    const parsed = readJobArguments(['--processor', 'h:2', '--in-flight', '3', 'a', 'out'], {});
    expect(parsed).toMatchObject({ processor: new URL('http://h:2'), limits: { inFlight: 3 } });
  });

  it.each([
    [[], 'SOURCE and OUTPUT_FOLDER are needed, got nothing; see job --help.'],
    [['a'], 'SOURCE and OUTPUT_FOLDER are needed, got "a"; see job --help.'],
    [
      ['a', 'http://h/'],
      'The last argument is the output folder, which "http://h/" cannot be; see job --help.',
    ],
    [['--dry', 'a', 'b'], "Unknown option '--dry'; --help lists the flags."],
    [['--dryrun', 'a', 'b'], "Unknown option '--dryrun'; did you mean --dry-run? --help lists the flags."],
    [['--in-flight', '0', 'a', 'b'], '--in-flight is "0"; allowed: a whole number from 1 to 1024.'],
    [
      ['--processor', 'http://h/path', 'a', 'b'],
      '--processor is "http://h/path"; allowed: host:port or an http or https URL without a path.',
    ],
    [
      ['--processor', 'http://me:secret@h', 'a', 'b'],
      '--processor is bad; allowed: host:port or an http or https URL without a path.',
    ],
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
  it('imports neither service: they meet in gen/ and in the files at the root of src/', () => {
    const files = readdirSync(source, { recursive: true }).map(String);
    const imports = files
      .filter((path) => path.endsWith('.ts'))
      .flatMap((path) => [
        ...readFileSync(`${source}/${path}`, 'utf8').matchAll(/(?:from|import\() ?'([^']+)'/g),
      ])
      .map(([, imported]) => imported ?? '');
    expect(imports.length).toBeGreaterThan(50);
    expect(imports.filter((imported) => /\/(api|processor)\//.test(imported))).toEqual([]);
  });
});
