import { closeSync, ftruncateSync, openSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createWorkerFile, type WorkerFile, workerFile } from '../../../src/processor/workers/file.ts';
import { run } from '../../support/run.ts';

let folder: string;
let file: WorkerFile;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'worker-file-'));
  file = createWorkerFile(folder) as WorkerFile;
});
afterEach(async () => {
  file.close();
  await rm(folder, { recursive: true });
});

function readBack(length: number, position: number): number[] {
  const target = new Uint8Array(length);
  file.read(target, position);
  return [...target];
}

describe(createWorkerFile, () => {
  it('has no name, so that no other process can open it and no file is left behind', async () => {
    expect(await readdir(folder)).toEqual([]);
  });

  it('returns undefined if the system has no such folder', () => {
    expect(createWorkerFile(join(folder, 'none'))).toBeUndefined();
  });
});

describe(workerFile, () => {
  it('reads bytes at the position where they were written', () => {
    expect(file.write(Uint8Array.of(1, 2, 3), 0)).toBe(true);
    expect(file.write(Uint8Array.of(4, 5), 3)).toBe(true);
    expect(readBack(5, 0)).toEqual([1, 2, 3, 4, 5]);
    expect(readBack(2, 2)).toEqual([3, 4]);
  });

  it('accepts writes that end at its limit and refuses those beyond', () => {
    expect(file.write(Uint8Array.of(1, 2), 4_194_302)).toBe(true);
    expect(file.write(Uint8Array.of(1, 2), 4_194_303)).toBe(false);
    const small = workerFile(file.fd, 10);
    expect(small.write(Uint8Array.of(1, 2), 8)).toBe(true);
    expect(small.write(Uint8Array.of(1, 2), 9)).toBe(false);
  });

  it('throws if the other side has truncated the file', () => {
    file.write(Uint8Array.of(1, 2, 3), 0);
    ftruncateSync(file.fd, 2);
    expect(() => readBack(3, 0)).toThrow('2 of 3 bytes are in the file.');
  });

  it.skipIf(process.platform !== 'linux')('says when the system has no more memory', () => {
    const full = workerFile(openSync('/dev/full', 'r+'));
    expect(full.write(Uint8Array.of(1), 0)).toBe(false);
    full.close();
  });

  it.skipIf(process.platform !== 'linux')('says when the system took only some of the bytes', async () => {
    const script = `
      const { createWorkerFile } = await import(process.argv[1]);
      const file = createWorkerFile(process.argv[2]);
      console.log(file.write(new Uint8Array(51_200), 0), file.write(new Uint8Array(51_201), 0));
    `;
    const module = new URL('../../../src/processor/workers/file.ts', import.meta.url).href;
    // In blocks of 512 bytes.
    const limited = 'ulimit -f 100; exec "$0" --input-type=module -e "$1" "$2" "$3"';
    const { stdout } = await run('sh', ['-c', limited, process.execPath, script, module, folder]);
    expect(stdout.toString()).toBe('true false\n');
  });

  it('does not touch another file that has its descriptor after close', () => {
    file.write(Uint8Array.of(1), 0);
    file.close();
    const other = openSync(import.meta.filename, 'r');
    expect(other).toBe(file.fd);
    expect(() => readBack(1, 0)).toThrow('is closed');
    expect(file.write(Uint8Array.of(1), 0)).toBe(false);
    file.close();
    closeSync(other);
  });
});
