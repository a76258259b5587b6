import { expect, it } from 'vitest';
import { resample } from '../../../../src/processor/image/kernels/resample.ts';

// A file of its own: the kernels' memory has to be as small as it is at first, for a read beyond it to show.
it('reads nothing beyond its memory where the windows of a wide picture hang over its end', () => {
  const wide = {
    data: new Uint8Array(32_768 * 17 * 3).fill(7),
    width: 32_768,
    height: 17,
    channels: 3,
  } as const;
  const { data } = resample(wide, 4, 14, 'lanczos');
  expect([...new Set(data)]).toEqual([7]);
});
