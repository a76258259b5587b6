import { beforeAll, describe, expect, it } from 'vitest';
import { Filter } from '../../../gen/image/v1/processor_pb.ts';
import { resample } from '../../../src/processor/image/kernels/resample.ts';
import type { Pixels } from '../../../src/processor/image/pixels.ts';
import { encoded, photoLike } from '../../support/pictures.ts';
import { compared, type RawTensor, stepsOf } from '../../support/skew.ts';

const [width, height] = [130, 101];
const preset = 'openai/clip-vit-base-patch32';

let file: Uint8Array;
let source: Pixels;

beforeAll(async () => {
  const { pixels, ...size } = photoLike(width, height, 7);
  source = { ...size, data: pixels, channels: 3 };
  file = await encoded({ ...size, pixels }, 'png');
});

/** Cuts a part, which may reach beyond the picture, where it has a gray level. */
function cut(image: Pixels, left: number, top: number, across: number, down: number, gray = 0): Pixels {
  const data = new Uint8Array(across * down * 3).fill(gray);
  for (let y = 0; y < down; y++) {
    for (let x = 0; x < across; x++) {
      const [fromX, fromY] = [left + x, top + y];
      if (fromX < 0 || fromY < 0 || fromX >= image.width || fromY >= image.height) continue;
      const from = (fromY * image.width + fromX) * 3;
      data.set(image.data.subarray(from, from + 3), (y * across + x) * 3);
    }
  }
  return { data, width: across, height: down, channels: 3 };
}

function uint8({ data, width, height }: Pixels): RawTensor {
  return { datatype: 'UINT8', shape: [height, width, 3], content: data };
}

/** Resized by Pillow's bicubic filter. */
function resized(image: Pixels, across: number, down: number): Pixels {
  return resample(image, across, down, 'bicubic');
}

describe('the framings of a comparison', () => {
  it.each<[rule: string, make: () => Pixels, words: Readonly<Record<string, string>>]>([
    ['stretched', () => resized(source, 64, 64), { size: '64 × 64, stretched', crop: 'none' }],
    [
      'the shorter side rounded up',
      () => cut(resized(source, Math.ceil((130 * 64) / 101), 64), 9, 0, 64, 64),
      { size: 'shorter side 64: 83 × 64', crop: '64 × 64 from the centre, from column 9, row 0' },
    ],
    [
      'a crop a pixel off',
      () => cut(resized(source, 82, 64), 10, 0, 64, 64),
      { size: 'shorter side 64: 82 × 64' },
    ],
    [
      'crop_pct 0.875',
      () => cut(resized(source, 93, 73), 14, 4, 64, 64),
      { size: 'shorter side 73: 93 × 73' },
    ],
    [
      'any shorter side',
      () => cut(resized(source, 91, 71), 13, 3, 64, 64),
      { size: 'shorter side 71: 91 × 71' },
    ],
    [
      'a square before the resize',
      () => resized(cut(source, 14, 0, 101, 101), 64, 64),
      { size: '64 × 64', crop: '101 × 101 from the centre, from column 14, row 0, before the resize' },
    ],
    [
      'letterbox',
      () => cut(resized(source, 64, 50), 0, -7, 64, 64, 114),
      { pad: 'to 64 × 64 with 114, 0 left, 7 above' },
    ],
    [
      'letterbox, right and below',
      () => cut(resized(source, 64, 50), 0, 0, 64, 64, 0),
      { pad: 'to 64 × 64 with 0, right and below' },
    ],
    [
      'padded to a square before the resize',
      () => resized(cut(source, 0, -14, 130, 130, 127), 64, 64),
      { pad: 'to 130 × 130 with 127, 0 left, 14 above, before the resize' },
    ],
    [
      'cut without a resize',
      () => cut(source, 33, 18, 64, 64),
      { crop: '64 × 64 from the centre, from column 33, row 18' },
    ],
  ])('names %s', async (_, make, words) => {
    const report = await compared(file, { preset }, uint8(make()));
    expect(report.cause?.exact).toBe(true);
    expect(stepsOf(report)).toMatchObject(words);
  });

  it('names no framing for the tensor that only differs in its values', async () => {
    const size = { width: 64, height: 64 };
    const plan = { resize: { shortestEdge: 64, filter: Filter.BICUBIC }, crop: size } as const;
    const given = uint8(cut(resized(source, 82, 64), 9, 0, 64, 64));
    const report = await compared(file, plan, given);
    expect(report.cause?.exact).toBe(true);
    expect(Object.keys(stepsOf(report))).not.toEqual(expect.arrayContaining(['size']));
    expect(stepsOf(report)).not.toHaveProperty('crop');
  });
});
