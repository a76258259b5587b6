import { unzipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { archiveOf } from '../../../src/playground/images/archive.ts';

async function filesOf(blob: Blob): Promise<[string, number[]][]> {
  const files = unzipSync(await blob.bytes());
  return Object.entries(files).map(([name, content]) => [name, [...content]]);
}

describe(archiveOf, () => {
  it('keeps every file under a name of its own', async () => {
    const { blob, name } = archiveOf([
      { name: 'ä.png', content: new Uint8Array([1, 2]) },
      { name: 'ä.png', content: new Uint8Array([3]) },
      { name: 'ä-2.png', content: new Uint8Array() },
    ]);
    expect(name).toBe('images.zip');
    expect(await filesOf(blob)).toEqual([
      ['ä.png', [1, 2]],
      ['ä-2.png', [3]],
      ['ä-2-2.png', []],
    ]);
  });

  it('is an npz if all files are npy', () => {
    expect(archiveOf([{ name: 'a.npy', content: new Uint8Array([1]) }]).name).toBe('tensors.npz');
  });
});
