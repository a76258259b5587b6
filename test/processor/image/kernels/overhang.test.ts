import { expect, it } from 'vitest';
import { resample } from '../../../../src/processor/image/kernels/resample.ts';

// A separate file: only while the kernels' memory has its initial size does a read beyond it fail.
it('reads nothing beyond its memory if the windows of a wide picture extend beyond its end', () => {
  const wide = {
    data: new Uint8Array(32_768 * 17 * 3).fill(7),
    width: 32_768,
    height: 17,
    channels: 3,
  } as const;
  const { data } = resample(wide, 4, 14, 'lanczos');
  expect([...new Set(data)]).toEqual([7]);
});
