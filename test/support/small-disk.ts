import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import process from 'node:process';

/** A file system of a few bytes in memory. Disposing of it unmounts it. */
export interface SmallDisk extends Disposable {
  /** @param size - as `mount` takes it, such as `1m` */
  resize(size: string): void;
}

/** Whether this process may mount a file system. */
export const canMount =
  process.getuid?.() === 0 && spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'x', '/mnt']).status === 0;

/** Mounts a file system of a size over a folder, which is created. */
export function mountSmallDisk(folder: string, size: string): SmallDisk {
  mkdirSync(folder, { recursive: true });
  run('mount', '-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folder);
  return {
    resize: (next) => run('mount', '-o', `remount,size=${next}`, folder),
    [Symbol.dispose]: () => run('umount', folder),
  };
}

function run(program: string, ...parameters: readonly string[]): void {
  const { status, stderr } = spawnSync(program, parameters);
  if (status !== 0) throw new Error(`${program} ended with ${status}: ${stderr}`);
}
