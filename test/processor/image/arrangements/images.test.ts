import { describe, expect, it } from 'vitest';
import { images } from '../../../../src/processor/image/arrangements/images.ts';
import type { Pixels } from '../../../../src/processor/image/pixels.ts';

const gray = (width: number, height: number, first: number): Pixels => ({
  data: Uint8Array.from({ length: width * height }, (_, at) => first + at),
  width,
  height,
  channels: 1,
});
const channels = [{ sample: 0, table: Uint8Array.from({ length: 256 }, (_, value) => value) }];

describe('images', () => {
  it('has an axis for the pictures, after others of length 1', () => {
    const pictures = [gray(3, 2, 0), gray(3, 2, 0)];
    expect(images.shape({ kind: 'images' }, pictures, 3, 'NHWC')).toEqual([2, 2, 3, 3]);
    expect(images.shape({ kind: 'images', leadingAxes: 2, count: 4 }, pictures, 3, 'NCHW')).toEqual([
      1, 1, 4, 3, 2, 3,
    ]);
  });

  it('writes the pictures one after another and leaves the rest 0', () => {
    const values = new Uint8Array(3 * 2);
    images.write({ kind: 'images', count: 3 }, [gray(2, 1, 5), gray(2, 1, 9)], channels, 'NCHW', values);
    expect([...values]).toEqual([5, 6, 9, 10, 0, 0]);
  });

  it('writes a picture to the top left of its canvas', () => {
    const values = new Uint8Array(3 * 3);
    images.write(
      { kind: 'images', canvas: { width: 3, height: 3 } },
      [gray(2, 2, 1)],
      channels,
      'NHWC',
      values,
    );
    expect([...values]).toEqual([1, 2, 0, 3, 4, 0, 0, 0, 0]);
  });

  it('refuses a picture that is larger than its canvas', () => {
    const check = (width: number) => () =>
      images.check?.({ kind: 'images', canvas: { width: 3, height: 3 } }, [{ width, height: 2 }]);
    expect(check(4)).toThrow('resizes this image to 4 × 2 pixels and pads it to 3 × 3');
    expect(check(3)).not.toThrow();
  });
});
