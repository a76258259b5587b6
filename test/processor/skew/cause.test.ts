import { describe, expect, it } from 'vitest';
import type { SkewReport } from '../../../src/processor/skew/skew-job.ts';
import { encoded, gradient, noise, type Picture, photoLike } from '../../support/pictures.ts';
import { floatTensor, planFrom } from '../../support/plans.ts';
import { comparedWith } from '../../support/skew.ts';

const side = 40;

const plan = planFrom({
  resize: { fit: 'fill', width: side, height: side, filter: 'bilinear' },
  output: { ...floatTensor, container: 'safetensors' },
});

const photo = await encoded(photoLike(120, 90), 'jpeg');

/** The comparison of a picture of side × side, in FP32, with a file's tensor. @throws Failure */
function compare(content: Uint8Array, { pixels, width, height }: Picture): Promise<SkewReport> {
  return comparedWith(content, plan, { datatype: 'UINT8', shape: [height, width, 3], content: pixels });
}

describe('a tensor that no known preprocessing makes of the image', () => {
  it('is called unrelated if it shows another image', async () => {
    await expect(compare(photo, gradient(side, side))).rejects.toMatchObject({
      reason: 'TENSOR_UNRELATED',
    });
  });

  it('is called unrelated if it has one value, which mere padding would give', async () => {
    const given = { ...gradient(side, side), pixels: new Uint8Array(side * side * 3).fill(114) };
    await expect(compare(photo, given)).rejects.toMatchObject({
      reason: 'TENSOR_UNRELATED',
      message: expect.stringContaining('all its pixels are equal'),
    });
  });

  it('is called unrelated if it is noise', async () => {
    await expect(compare(photo, noise(side, side))).rejects.toMatchObject({ reason: 'TENSOR_UNRELATED' });
  });

  it.each([1, 2, 3])(
    'has no exact cause if a part of the image between its pixels is shown, %i',
    async (step) => {
      const { cause } = await compare(photo, between(photoLike(120, 90), 0.137 * step, 0.291));
      expect(cause).toMatchObject({ exact: false });
      expect(cause?.confidence).toBeLessThan(1);
    },
  );
});

/** Every second pixel, from a place between pixels. */
function between({ pixels, width }: Picture, left: number, top: number): Picture {
  const at = (x: number, y: number, channel: number) => pixels[(y * width + x) * 3 + channel] as number;
  const values = new Uint8Array(side * side * 3);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      for (let channel = 0; channel < 3; channel++) {
        const [column, row] = [2 * x, 2 * y];
        const above = at(column, row, channel) * (1 - left) + at(column + 1, row, channel) * left;
        const below = at(column, row + 1, channel) * (1 - left) + at(column + 1, row + 1, channel) * left;
        values[(y * side + x) * 3 + channel] = Math.round(above * (1 - top) + below * top);
      }
    }
  }
  return { pixels: values, width: side, height: side, channels: 3 };
}
