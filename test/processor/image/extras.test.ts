import { describe, expect, it } from 'vitest';
import type { PictureSizes } from '../../../src/processor/image/extras/extra.ts';
import { type ExtraTensor, kindOfExtra } from '../../../src/processor/image/extras/extras.ts';

const size = (width: number, height: number) => ({ width, height });
const sizes: PictureSizes = {
  source: size(640, 480),
  picture: size(4, 6),
  pictures: [size(2, 2), size(2, 2), size(1, 2)],
  contents: [size(2, 2), size(1, 2), size(1, 1)],
};

function made(extra: Record<string, unknown>) {
  const tensor = { name: 'x', ...extra } as ExtraTensor;
  const kind = kindOfExtra(tensor);
  return [kind.datatype(tensor), kind.shape(tensor, sizes), [...kind.values(tensor, sizes)]];
}

describe('the tensors beside the pixels', () => {
  it.each([
    ['the size of the source, height first', { kind: 'imageSizes' }, ['INT64', [1, 2], [480, 640]]],
    [
      'a grid of patches for each picture',
      { kind: 'patchGrid', size: 1 },
      ['INT64', [3, 3], [1, 2, 2, 1, 2, 2, 1, 2, 1]],
    ],
    ['the number of pictures', { kind: 'pictureCount' }, ['INT64', [1], [3]]],
    ['the number of pictures after the first', { kind: 'pictureCount', skip: 1 }, ['INT64', [1], [2]]],
    ['a number in several axes', { kind: 'pictureCount', axes: 2 }, ['INT64', [1, 1], [3]]],
    ['the number of images', { kind: 'imageCount' }, ['INT64', [1], [1]]],
    ['rows and columns of tiles', { kind: 'tileCounts', tile: size(2, 2) }, ['INT64', [1, 2], [3, 2]]],
    [
      'columns and rows of tiles as large as the last picture',
      { kind: 'tileCounts', tile: 'last', columnsFirst: true },
      ['INT64', [1, 2], [4, 3]],
    ],
    ['rows of tiles', { kind: 'splitCount', of: 'rows', tile: size(2, 3), ofOne: 1 }, ['INT64', [1, 1], [2]]],
    [
      'the pictures that only fill',
      { kind: 'pictureMask', datatype: 'INT64', count: 4 },
      ['INT64', [1, 1, 4], [1, 1, 1, 0]],
    ],
    ['the pictures', { kind: 'pictureMask', datatype: 'BOOL' }, ['BOOL', [1, 3], [1, 1, 1]]],
    ['a flag', { kind: 'constant', value: 1, datatype: 'BOOL' }, ['BOOL', [1], [1]]],
    // (1, 1), (1, 2), … (1, 6), (2, 1), (2, 2), (2, 3), (3, 1), (3, 2)
    ["Mllama's number of a grid", { kind: 'aspectRatioId', tile: 2, maxTiles: 6 }, ['INT64', [1, 1], [11]]],
    [
      'the padding of each picture',
      { kind: 'pixelMask', datatype: 'BOOL', leadingAxes: 1, canvas: 'largest' },
      ['BOOL', [1, 3, 2, 2], [1, 1, 1, 1, 1, 0, 1, 0, 1, 0, 0, 0]],
    ],
  ])('are %s', (_, extra, expected) => {
    expect(made(extra)).toEqual(expected);
  });
});
