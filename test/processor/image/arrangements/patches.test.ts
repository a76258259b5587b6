import { describe, expect, it } from 'vitest';
import { patches } from '../../../../src/processor/image/arrangements/patches.ts';
import type { Pixels } from '../../../../src/processor/image/pixels.ts';
import { noise } from '../kernels/noise.ts';

/** Pixel number n has the samples n, n + 100 and n + 200. */
function numbered(width: number, height: number): Pixels {
  const data = Uint8Array.from(
    { length: width * height * 3 },
    (_, at) => Math.trunc(at / 3) + (at % 3) * 100,
  );
  return { data, width, height, channels: 3 };
}

const channels = [0, 1, 2].map((sample) => ({
  sample,
  table: Uint8Array.from({ length: 256 }, (_, value) => value),
}));

describe('patches', () => {
  const arrangement = { kind: 'patches', size: 1, merge: 2, repeats: 1 } as const;

  it('has a row for each patch and a column for each sample of it', () => {
    expect(
      patches.shape({ ...arrangement, size: 2, repeats: 2 }, [{ width: 8, height: 4 }], 3, 'NCHW'),
    ).toEqual([8, 3 * 2 * 2 * 2]);
  });

  it('writes the patches of a group one after another, row by row', () => {
    const values = new Uint8Array(8 * 3);
    patches.write(arrangement, [numbered(4, 2)], channels, 'NCHW', values);
    const reds = Array.from({ length: 8 }, (_, row) => values[row * 3]);
    expect(reds).toEqual([0, 1, 4, 5, 2, 3, 6, 7]);
  });

  it('writes each channel of a patch as often as it repeats', () => {
    const values = new Uint8Array(4 * 2 * 3);
    patches.write(
      { kind: 'patches', size: 2, merge: 1, repeats: 2 },
      [numbered(2, 2)],
      channels,
      'NCHW',
      values,
    );
    expect([...values]).toEqual(
      [0, 100, 200].flatMap((base) => [0, 1, 2, 3, 0, 1, 2, 3].map((n) => base + n)),
    );
  });

  it('looks bytes up in the tables of their channels', () => {
    const inverted = channels.map(({ sample, table }) => ({
      sample,
      table: table.map((value) => 255 - value),
    }));
    const values = new Uint8Array(4 * 3);
    const one = { kind: 'patches', size: 2, merge: 1, repeats: 1 } as const;
    patches.write(one, [numbered(2, 2)], inverted, 'NCHW', values);
    expect([...values]).toEqual([0, 100, 200].flatMap((base) => [0, 1, 2, 3].map((n) => 255 - base - n)));
  });

  it.each([
    [1, 2, 3, false],
    [2, 2, 2, false],
    [3, 1, 1, false],
    [14, 2, 2, false],
    [14, 2, 2, true],
    [16, 2, 1, false],
    [17, 1, 2, true],
    [32, 3, 2, false],
  ])(
    'writes bytes as it writes floats: side %i, groups of %i, %i repeats, row by row: %s',
    (size, merge, repeats, isRowMajor) => {
      const same = { kind: 'patches', size, merge, repeats, isRowMajor } as const;
      // The second picture is taller and follows the first one.
      const pictures = [2, 4].map((rows) => noise(3 * size * merge, rows * size * merge, 3));
      for (const inOrder of [channels, channels.toReversed()]) {
        const length = pictures.reduce((sum, { data }) => sum + data.length * repeats, 0);
        const [bytes, floats] = [new Uint8Array(length), new Float32Array(length)];
        const tables = inOrder.map(({ sample, table }) => ({ sample, table: Float32Array.from(table) }));
        patches.write(same, pictures, inOrder, 'NCHW', bytes);
        patches.write(same, pictures, tables, 'NCHW', floats);
        expect(bytes).toEqual(Uint8Array.from(floats));
      }
    },
  );
});
