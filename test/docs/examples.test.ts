import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commandsOf, type DocBlock, patternOf } from '../support/doc-blocks.ts';
import { type Origin, routes, sends, startOrigin } from '../support/origin.ts';
import { findPythonWith, missingIn } from '../support/python.ts';
import { type Run, run } from '../support/run.ts';
import { type Service, startService } from '../support/service.ts';
import { findProgram } from '../support/tools.ts';
import { given } from './not-run.ts';
import { blocks, examples, isAbout, root } from './pages.ts';

/*
 * Every example of every page, run as its reader would run it: in a folder that has the checkout's files, against both
 * services. not-run.ts lists the blocks that cannot run here, with the reasons.
 */

type Runner = (block: DocBlock, program: string) => Promise<Run>;

const bash = findProgram('bash');
const python = findPythonWith('requests', 'numpy', 'PIL', 'grpc', 'grpc_tools');
let service: Service;
let origin: Origin;
let folder: string;

beforeAll(async () => {
  const photo = readFileSync(join(root, 'test/fixtures/sample.jpg'));
  origin = await startOrigin(routes({ '/cat.jpg': sends(photo, { 'content-type': 'image/jpeg' }) }));
  service = await startService({
    processor: { WORKERS: '1', URL_ALLOWED_HOSTS: `127.0.0.1:${origin.port}` },
  });
  folder = mkdtempSync(join(tmpdir(), 'docs-'));
  // Of the checkout, what examples read; what they write stays here.
  for (const entry of [
    '.ci',
    'CHANGELOG.md',
    'examples',
    'gen',
    'node_modules',
    'package.json',
    'proto',
    'src',
    'test',
  ]) {
    symlinkSync(join(root, entry), join(folder, entry));
  }
  writeFileSync(join(folder, 'photo.jpg'), photo);
  mkdirSync(join(folder, 'bin'));
  symlinkSync(join(root, 'src/client/bin.ts'), join(folder, 'bin', 'image-client'));
  // A link would hide from Python which environment it belongs to.
  writeFileSync(join(folder, 'bin', 'python'), `#!/bin/sh\nexec '${python}' "$@"\n`, { mode: 0o755 });
});

afterAll(async () => {
  await service?.stop();
  await origin?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

/** A program with the addresses of this run in the place of those of the pages. */
function addressed(text: string): string {
  return text
    .replaceAll(/localhost:8080/g, new URL(service.url).host)
    .replaceAll(/localhost:50051/g, service.address)
    .replaceAll('https://images.example/', origin.url());
}

function environment() {
  const path = [
    join(folder, 'bin'),
    dirname(process.execPath),
    join(root, 'node_modules/.bin'),
    process.env.PATH,
  ];
  return {
    PATH: path.join(delimiter),
    LC_ALL: 'C.UTF-8',
    IMAGE_API_URL: service.url,
    IMAGE_PROCESSOR_URL: service.address,
    IMAGE_API_KEY: 'secret',
  };
}

function runShell(script: string): Promise<Run> {
  return run(bash ?? '', ['--norc', '-c', script], { cwd: folder, env: environment() });
}

/** A program as a file, because its imports are relative to its folder. */
function runFile(interpreter: string, extension: string): Runner {
  return ({ line }, program) => {
    const file = join(folder, `example-${line}.${extension}`);
    writeFileSync(file, program);
    return run(interpreter, [file], { cwd: folder, env: environment() });
  };
}

interface Interpreter {
  readonly program: string | undefined;
  readonly run: Runner;
}

const runners: Readonly<Record<string, Interpreter>> = {
  sh: { program: bash, run: (_block, program) => runShell(`set -euo pipefail\n${program}`) },
  bash: { program: bash, run: (_block, program) => runShell(`set -euo pipefail\n${program}`) },
  python: { program: python, run: runFile(python ?? '', 'py') },
  ts: { program: process.execPath, run: runFile(process.execPath, 'ts') },
  js: { program: process.execPath, run: runFile(process.execPath, 'mjs') },
};

/** Programs of a block that this machine lacks. */
function missingPrograms({ language, text }: DocBlock): string[] {
  if (language !== 'sh' && language !== 'bash' && language !== 'console') return [];
  const words = new Set(text.split(/[\s()|&;]+/));
  const wanted = ['curl', 'grpcurl', 'jq', 'openssl'].filter((name) => words.has(name));
  const wantsPython = words.has('python') && python === undefined ? ['python with its packages'] : [];
  return [...wanted.filter((name) => findProgram(name) === undefined), ...wantsPython];
}

/** Modules that a block of Python imports. */
function importsOf({ language, text }: DocBlock): string[] {
  if (language !== 'python') return [];
  const statements = text.matchAll(/^(?:from (\w+)[\w.]* import|import (\w[\w., ]*))/gm);
  return [...statements].flatMap(([, from, imported = '']) =>
    from === undefined ? imported.split(',').map((name) => name.trim().split(/[. ]/)[0] ?? '') : [from],
  );
}

const missingModules = python === undefined ? [] : missingIn(python, blocks.flatMap(importsOf));

/** The interpreter of a block. A block with modules that `python` lacks needs one with all of them, as the Python client's. */
function runnerOf(block: DocBlock): Interpreter | undefined {
  const modules = importsOf(block);
  if (!modules.some((name) => missingModules.includes(name))) return runners[block.language];
  const program = findPythonWith(...modules);
  return { program, run: runFile(program ?? '', 'py') };
}
describe.skipIf(bash === undefined)('the examples of the pages', () => {
  it.for(examples.map((block) => [`${block.page}:${block.line}`, block] as const))(
    '%s',
    async ([, block], { skip }) => {
      const missing = missingPrograms(block);
      if (missing.length > 0) return skip(`there is no ${missing.join(', ')}`);
      const { before = '', after = '' } = given.find(isAbout(block)) ?? {};
      if (block.language === 'console') {
        const commands = commandsOf(block.text);
        expect(commands.length).toBeGreaterThan(0);
        for (const { command, expected } of commands) {
          const printed = await runShell(`exec 2>&1; ${addressed(command)}`);
          const text = printed.stdout.toString().replaceAll('\r\n', '\n');
          expect(text, command).toMatch(patternOf(addressed(expected)));
          if (!expected.includes('"code": "')) expect(printed.code, command).toBe(0);
        }
        return;
      }
      const runner = runnerOf(block);
      if (runner === undefined) throw new Error(`nothing runs ${block.language}`);
      if (runner.program === undefined)
        return skip(`nothing here runs ${[block.language, ...importsOf(block)].join(', ')}`);
      const printed = await runner.run(block, before + addressed(block.text) + after);
      expect(printed.code, printed.stderr + printed.stdout).toBe(0);
      if (block.output !== undefined) {
        expect(printed.stdout.toString()).toMatch(patternOf(addressed(block.output)));
      }
    },
  );
});
