import { describe, expect, it } from 'vitest';
import { wholeOf } from '../../../src/processor/image/cutout.ts';
import { storedPicture } from '../../../src/processor/image/picture.ts';
import { kindOf, type Step } from '../../../src/processor/image/steps.ts';

/** The gray output of a step for rows of gray values. */
function outputOf(step: Step, rows: readonly (readonly number[])[], orientation = 1): number[][] {
  const [height, width] = [rows.length, rows[0]?.length ?? 0];
  const stored = storedPicture(
    { data: Uint8Array.from(rows.flat()), width, height, channels: 1 },
    orientation,
  );
  const input = { width: stored.cutout.right, height: stored.cutout.bottom, colours: 1 } as const;
  const output = kindOf(step).place(step, input);
  const cutout = wholeOf(output);
  const { data, channels } = kindOf(step).run(stored, {
    step,
    input,
    output,
    cutout,
    available: input,
    computed: output,
  });
  return Array.from({ length: output.height }, (_, y) =>
    Array.from({ length: output.width }, (__, x) => data[(y * output.width + x) * channels] as number),
  );
}

describe('a padTo step', () => {
  it('halves the padding, rounded down', () => {
    const step: Step = { kind: 'padTo', to: { width: 4, height: 2 }, at: 'centre' };
    expect(outputOf(step, [[7]])).toEqual([
      [0, 7, 0, 0],
      [0, 0, 0, 0],
    ]);
  });

  it('makes a square of the longer side, in a colour', () => {
    const step: Step = { kind: 'padTo', to: 'square', at: 'centre', colour: [9, 8, 7] };
    expect(outputOf(step, [[1, 2, 3]])).toEqual([
      [9, 9, 9],
      [1, 2, 3],
      [9, 9, 9],
    ]);
  });

  it('keeps the image at the top left', () => {
    expect(outputOf({ kind: 'padTo', to: 'square', at: 'topLeft' }, [[1, 2]])).toEqual([
      [1, 2],
      [0, 0],
    ]);
  });

  // torchvision's pad with negative padding.
  it('cuts an image that is too large', () => {
    const step: Step = { kind: 'padTo', to: { width: 2, height: 1 }, at: 'centre' };
    expect(outputOf(step, [[1, 2, 3, 4, 5]])).toEqual([[3, 4]]);
  });
});

describe('a padTo step to a size of the image', () => {
  it('rounds both sides up to a multiple', () => {
    const step: Step = { kind: 'padTo', to: { multipleOf: 3 }, at: 'centre', colour: [9, 9, 9] };
    expect(outputOf(step, [[1, 2, 3, 4]])).toEqual([
      [9, 9, 9, 9, 9, 9],
      [9, 1, 2, 3, 4, 9],
      [9, 9, 9, 9, 9, 9],
    ]);
  });

  it('lengthens short sides only if both together are short', () => {
    const step: Step = {
      kind: 'padTo',
      to: { atLeast: { width: 2, height: 2 }, ifSumBelow: 4 },
      at: 'topLeft',
    };
    expect(outputOf(step, [[1], [2]])).toEqual([
      [1, 0],
      [2, 0],
    ]);
    expect(outputOf(step, [[1, 2, 3]])).toEqual([[1, 2, 3]]);
  });
});

describe('a mirrorPad step', () => {
  // numpy.pad(…, mode="symmetric")
  it('repeats the image back and forth up to the next multiple', () => {
    expect(outputOf({ kind: 'mirrorPad', multiple: 5, repeats: true }, [[1, 2]])[0]).toEqual([1, 2, 2, 1, 1]);
    expect(outputOf({ kind: 'mirrorPad', multiple: 2, repeats: true }, [[1, 2]])).toEqual([
      [1, 2, 2, 1],
      [1, 2, 2, 1],
    ]);
  });

  it('refuses an image that is shorter than its padding, as torchvision does', () => {
    const step = { kind: 'mirrorPad', multiple: 8, repeats: false } as const;
    const check = (width: number) => () => kindOf(step).checkInput?.(step, { width, height: 9 });
    expect(check(3)).toThrow('The image has 3 × 9 pixels');
    expect(check(4)).not.toThrow();
  });

  it('turns the image upright first', () => {
    expect(outputOf({ kind: 'mirrorPad', multiple: 3, repeats: true }, [[1], [2]], 6)[0]).toEqual([2, 1, 1]);
  });
});

describe('a relativeCrop step', () => {
  it('cuts shares of the shorter side from the centre, rounded down', () => {
    const step: Step = { kind: 'relativeCrop', heightShare: 0.5, widthShare: 0.9, origin: 'transformers' };
    expect(
      outputOf(step, [
        [1, 2, 3, 4],
        [5, 6, 7, 8],
        [9, 10, 11, 12],
      ]),
    ).toEqual([[6, 7]]);
  });
});
