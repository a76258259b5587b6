import { describe, expect, it } from 'vitest';
import { readTiffStructure } from '../../../../src/processor/codecs/tiff/structure.ts';

/** A little-endian TIFF of one directory; values are in the entries. */
function tiff(
  ...entries: readonly (readonly [tag: number, type: number, count: number, value: number])[]
): Buffer {
  const file = Buffer.alloc(8 + 2 + 12 * entries.length + 4);
  file.write('II*\0', 'latin1');
  file.writeUInt32LE(8, 4);
  file.writeUInt16LE(entries.length, 8);
  for (const [index, [tag, type, count, value]] of entries.entries()) {
    const at = 10 + 12 * index;
    file.writeUInt16LE(tag, at);
    file.writeUInt16LE(type, at + 2);
    file.writeUInt32LE(count, at + 4);
    file.writeUInt32LE(value, at + 8);
  }
  return file;
}

const [width, height, stripOffsets, long, ascii] = [256, 257, 273, 4, 2];
const strips = [stripOffsets, long, 100_000, 0] as const;

describe(readTiffStructure, () => {
  it('counts strips after an entry whose values are outside of the file, as libtiff continues there', () => {
    const file = tiff([width, long, 1, 8], [height, long, 1, 8], [270, ascii, 1_000_000, 900], strips);
    expect(readTiffStructure(file)).toMatchObject({ parts: 'strips', count: 100_000 });
  });

  it('uses the first of two entries with the same tag, as libtiff does', () => {
    const file = tiff([width, long, 1, 8], [height, long, 1, 8], strips, [stripOffsets, long, 1, 8]);
    expect(readTiffStructure(file)).toMatchObject({ parts: 'strips', count: 100_000 });
  });

  it('returns nothing for a file that ends within its directory', () => {
    expect(readTiffStructure(tiff(strips).subarray(0, 12))).toBeUndefined();
  });
});
