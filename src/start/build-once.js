import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

/*
 * Before `npm start` and the tests: runs the build scripts of package.json whose inputs have changed since they last ran. The
 * digest of the inputs' sizes and times stands beside the output.
 *
 * This is JavaScript, as start.js is: TypeScript here would cost each start 70 ms and 25 MB, for the compiler of types.
 */

const manifests = ['package.json', 'package-lock.json'];

/** Scripts of package.json, the files and folders that they read, and what they make. */
const builds = [
  {
    name: 'build:kernels',
    inputs: ['src/processor/image/kernels/assembly', ...manifests],
    output: 'build/kernels.wasm',
  },
  // The playground contains the options, the presets and the messages of the contract.
  { name: 'build:playground', inputs: ['src', 'gen', ...manifests], output: 'build/playground' },
  { name: 'build:services', inputs: ['src', 'gen', ...manifests], output: 'dist' },
];

/** @returns the exit code of the first build that failed, or 0 */
export async function buildOnce() {
  process.chdir(fileURLToPath(new URL('../../', import.meta.url)));
  const codes = await Promise.all(builds.map(runIfChanged));
  return codes.find((code) => code !== 0) ?? 0;
}

/** @param {(typeof builds)[number]} build */
async function runIfChanged({ name, inputs, output }) {
  const digest = digestOf(inputs);
  const record = `build/${output.replace(/^build\//, '')}.inputs`;
  if (existsSync(output) && existsSync(record) && readFileSync(record, 'utf8') === digest) return 0;
  mkdirSync('build', { recursive: true });
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'));
  const programs = join(process.cwd(), 'node_modules/.bin');
  const child = spawn(scripts[name], {
    stdio: 'inherit',
    shell: true,
    env: { ...process.env, PATH: [programs, process.env.PATH].join(delimiter) },
  });
  const [code] = await once(child, 'exit');
  if (code === 0) writeFileSync(record, digest);
  return code ?? 1;
}

/** The digests of inputs that several builds have. */
const digests = new Map();

/** @param {readonly string[]} inputs */
function digestOf(inputs) {
  const key = inputs.join('\0');
  if (!digests.has(key)) digests.set(key, newDigestOf(inputs));
  return digests.get(key);
}

/** @param {readonly string[]} inputs */
function newDigestOf(inputs) {
  const hash = createHash('sha256');
  for (const path of inputs.flatMap(filesOf).sort()) {
    const { size, mtimeMs } = statSync(path);
    hash.update(`${path}\0${size}\0${mtimeMs}\0`);
  }
  return hash.digest('hex');
}

/** @param {string} path */
function filesOf(path) {
  if (!existsSync(path)) return [];
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
}

if (import.meta.main) process.exitCode = await buildOnce();
