import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tarEnd, tarHeader, tarPadding } from '../../../../src/client/corpus/shards/tar.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tar-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe(tarHeader, () => {
  it('is read by tar, with paths of any length and script', () => {
    const paths = [
      'a.txt',
      `${'d'.repeat(90)}/${'f'.repeat(99)}`,
      `${'x'.repeat(200)}/${'y'.repeat(120)}.json`,
      'ключ/äö.npy',
    ];
    const contents = paths.map((path, at) => Buffer.from(path.repeat(at * 20)));
    const parts = paths.flatMap((path, at) => {
      const content = contents[at] as Buffer;
      return [tarHeader(path, content.length), content, tarPadding(content.length)];
    });
    const file = join(folder, 'a.tar');
    writeFileSync(file, Buffer.concat([...parts, tarEnd]));
    const tar = (...args: string[]) =>
      execFileSync('tar', args, { env: { ...process.env, LC_ALL: 'C.UTF-8', TZ: 'UTC' } });
    expect(tar('-tf', file, '--quoting-style=literal').toString().trim().split('\n')).toEqual(paths);
    for (const [at, path] of paths.entries()) {
      expect(tar('-xOf', file, path)).toEqual(contents[at]);
    }
    expect(tar('-tvf', file, '--numeric-owner').toString()).toMatch(/^-rw-r--r-- 0\/0 +0 1970-01-01 00:00 a/);
  });
});
