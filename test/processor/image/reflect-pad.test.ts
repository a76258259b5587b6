import { describe, expect, it } from 'vitest';
import { wholeOf } from '../../../src/processor/image/cutout.ts';
import { storedPicture } from '../../../src/processor/image/picture.ts';
import { reflectPad } from '../../../src/processor/image/reflect-pad.ts';

const step = { kind: 'reflectPad', repeats: true } as const;

/** A row of a padded image that is one pixel high. */
function padded(row: readonly number[]): readonly number[] {
  const input = { width: row.length, height: 1, colours: 1 } as const;
  const output = reflectPad.place(step, input);
  const whole = wholeOf(output);
  const picture = storedPicture({ data: Uint8Array.from(row), width: row.length, height: 1, channels: 1 }, 1);
  const placed = { step, input, output, cutout: whole, computed: output, available: input };
  return [...reflectPad.run(picture, placed).data.subarray(0, output.width)];
}

describe('reflectPad', () => {
  it('mirrors an image at its outermost pixels without repeating them', () => {
    expect(padded([1, 2, 3, 4, 5])).toEqual([5, 4, 3, 2, 1, 2, 3, 4, 5, 4, 3, 2, 1]);
  });

  it('mirrors it again where the padding is longer, as NumPy does', () => {
    expect(padded([1, 2, 3])).toEqual([2, 3, 2, 1, 2, 3, 2, 1, 2]);
    expect(padded([7])).toEqual([7, 7, 7, 7, 7]);
  });

  it('refuses it where PyTorch does', () => {
    const check = (side: number) => () =>
      reflectPad.checkInput?.({ kind: 'reflectPad', repeats: false }, { width: 90, height: side });
    expect(check(4)).toThrow('Send an image with sides of at least 5.');
    expect(check(5)).not.toThrow();
  });
});
