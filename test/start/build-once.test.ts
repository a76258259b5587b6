import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { run } from '../support/run.ts';

let checkout: string;

/** A checkout with the script, and builds that write down that they ran. */
beforeEach(() => {
  checkout = mkdtempSync(join(tmpdir(), 'build-once-'));
  mkdirSync(join(checkout, 'src/start'), { recursive: true });
  mkdirSync(join(checkout, 'src/processor/image/kernels/assembly'), { recursive: true });
  const script = fileURLToPath(new URL('../../src/start/build-once.js', import.meta.url));
  copyFileSync(script, join(checkout, 'src/start/build-once.js'));
  const builds = (name: string, output: string) => `echo ${name} >> log.txt && echo > ${output}`;
  write('package.json', {
    type: 'module',
    scripts: {
      'build:kernels': builds('kernels', 'build/kernels.wasm'),
      'build:playground': builds('playground', 'build/playground'),
      'build:services': builds('services', 'dist'),
    },
  });
  write('src/options.ts', 1);
  write('src/processor/image/kernels/assembly/kernels.ts', 1);
});

afterEach(() => rmSync(checkout, { recursive: true }));

function write(path: string, content: unknown): void {
  writeFileSync(join(checkout, path), JSON.stringify(content));
}

/** @returns the builds that ran now; those of one run run at once */
async function build(): Promise<readonly string[]> {
  const result = await run(process.execPath, ['src/start/build-once.js'], { cwd: checkout });
  expect(result.code, result.stderr).toBe(0);
  const log = join(checkout, 'log.txt');
  const ran = existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : [];
  rmSync(log, { force: true });
  return ran.sort();
}

describe('the builds before a start', () => {
  it('run once', async () => {
    expect(await build()).toEqual(['kernels', 'playground', 'services']);
    expect(await build()).toEqual([]);
  });

  it('run again if their inputs have changed', async () => {
    await build();
    write('src/options.ts', 2);
    expect(await build()).toEqual(['playground', 'services']);
    write('src/processor/image/kernels/assembly/kernels.ts', 2);
    expect(await build()).toEqual(['kernels', 'playground', 'services']);
  });

  it('run again if their output is missing', async () => {
    await build();
    rmSync(join(checkout, 'build/kernels.wasm'));
    expect(await build()).toEqual(['kernels']);
  });

  it('end with the code of one that fails, and run it again', async () => {
    write('package.json', {
      type: 'module',
      scripts: { 'build:kernels': 'exit 3', 'build:playground': 'true', 'build:services': 'true' },
    });
    for (const attempt of [1, 2]) {
      const result = await run(process.execPath, ['src/start/build-once.js'], { cwd: checkout });
      expect(result.code, `attempt ${attempt}`).toBe(3);
    }
  });
});
