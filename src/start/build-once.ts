import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

/*
 * Before `npm start` and the tests: runs the build scripts of package.json whose inputs have changed since they last ran. The
 * digest of the inputs stands beside the output.
 */

/** A script of package.json, the files that it reads, and what it makes. */
interface BuildScript {
  readonly name: string;
  /** Patterns of paths in the checkout. */
  readonly inputs: readonly string[];
  readonly output: string;
}

const scripts: readonly BuildScript[] = [
  {
    name: 'build:kernels',
    inputs: ['src/processor/image/kernels/assembly/**/*.ts', 'package.json', 'package-lock.json'],
    output: 'build/kernels.wasm',
  },
  {
    name: 'build:playground',
    // Its bundle contains the options, the presets and the messages of the contract.
    inputs: ['src/**/*.*', 'gen/**/*.ts', 'package.json', 'package-lock.json'],
    output: 'build/playground',
  },
];

process.chdir(fileURLToPath(new URL('../../', import.meta.url)));
mkdirSync('build', { recursive: true });
for (const script of scripts) {
  const digest = digestOf(script.inputs);
  const record = `${script.output}.inputs`;
  if (existsSync(script.output) && existsSync(record) && readFileSync(record, 'utf8') === digest) continue;
  const { status } = spawnSync('npm', ['run', '-s', script.name], {
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  if (status !== 0) process.exit(status ?? 1);
  writeFileSync(record, digest);
}

function digestOf(patterns: readonly string[]): string {
  const hash = createHash('sha256');
  const paths = patterns.flatMap((pattern) => globSync(pattern)).sort();
  for (const path of paths) hash.update(`${path}\0`).update(readFileSync(path)).update('\0');
  return hash.digest('hex');
}
