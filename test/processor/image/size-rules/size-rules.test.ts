import { describe, expect, it } from 'vitest';
import { kindOfSizeRule, type SizeRule } from '../../../../src/processor/image/size-rules/size-rules.ts';

const images = [
  [640, 427],
  [333, 517],
  [23, 2],
  [1, 1],
  [2000, 333],
  [37, 54],
  [31, 900],
  [1024, 768],
] as const;

const detection = { shortestEdge: 800, longestEdge: 1333 };

// Sizes that the `resize` of transformers 5.24 gave images of these sizes; "-": torch cannot make a side of 0.
const rows: readonly (readonly [name: string, rule: SizeRule, sizes: string])[] = [
  [
    'GLPN',
    { kind: 'toMultiple', multiple: 32, rounding: 'down' },
    '640x416 320x512 - - 1984x320 32x32 - 1024x768',
  ],
  [
    'Yolos',
    { kind: 'toMultiple', multiple: 16, rounding: 'down', edges: detection },
    '1184x800 800x1232 1328x112 800x800 1328x208 800x1152 32x1328 1056x800',
  ],
  [
    'TextNet',
    { kind: 'toMultiple', multiple: 32, rounding: 'up', edges: { shortestEdge: 640 } },
    '960x640 640x1024 7360x640 640x640 3872x640 640x960 640x18592 864x640',
  ],
  [
    'Mask2Former, by edges',
    { kind: 'toMultiple', multiple: 32, rounding: 'up', edges: detection },
    '1216x800 800x1248 1344x128 800x800 1344x224 800x1184 64x1344 1088x800',
  ],
  [
    'Mask2Former, of a fixed size',
    { kind: 'toMultiple', multiple: 32, rounding: 'up', edges: { width: 200, height: 100 } },
    '224x128 224x128 224x128 224x128 224x128 224x128 224x128 224x128',
  ],
  [
    'Mask2Former, within a size',
    { kind: 'toMultiple', multiple: 32, rounding: 'up', edges: { maxWidth: 200, maxHeight: 100 } },
    '160x128 64x128 224x32 128x128 224x64 96x128 32x128 160x128',
  ],
  [
    'DPT with keep_aspect_ratio',
    { kind: 'nearSize', width: 518, height: 518, multiple: 14, keepsRatio: true },
    '518x350 336x518 518x42 518x518 3108x518 350x518 14x518 686x518',
  ],
  [
    'DPT',
    { kind: 'nearSize', width: 300, height: 384, multiple: 32, keepsRatio: false },
    '288x384 288x384 288x384 288x384 288x384 288x384 288x384 288x384',
  ],
  [
    'Sam',
    { kind: 'longestEdge', longestEdge: 1024, rounding: 'halfUp' },
    '1024x683 660x1024 1024x89 1024x1024 1024x170 702x1024 35x1024 1024x768',
  ],
  [
    'Janus',
    { kind: 'longestEdge', longestEdge: 384, rounding: 'halfToEven', shortestSide: 14 },
    '384x256 247x384 384x33 384x384 384x64 263x384 14x384 384x288',
  ],
  [
    'Vilt',
    { kind: 'edgeRange', shortestEdge: 384, multiple: 32 },
    '576x384 384x576 608x32 384x384 608x96 384x544 - 512x384',
  ],
  [
    'BridgeTower',
    { kind: 'edgeRange', shortestEdge: 288, multiple: 32 },
    '416x288 288x416 448x32 288x288 448x64 288x416 - 384x288',
  ],
  [
    'Donut, thumbnail',
    { kind: 'thumbnail', width: 200, height: 300 },
    '200x133 193x300 23x2 1x1 200x33 37x54 10x300 200x150',
  ],
  [
    'Pixtral',
    { kind: 'wholePatches', width: 1024, height: 1024, patch: { width: 16, height: 16 } },
    '640x432 336x528 32x16 16x16 1024x176 48x64 32x912 1024x768',
  ],
  [
    'PPLCNet',
    { kind: 'shortSide', shortestEdge: 256 },
    '384x256 256x397 2944x256 256x256 1538x256 256x374 256x7432 341x256',
  ],
  [
    'PPLCNet with a size_divisor',
    { kind: 'shortSide', shortestEdge: 256, multiple: 32 },
    '384x256 256x416 2944x256 256x256 1568x256 256x384 256x7456 352x256',
  ],
  // timm 1.0.31
  [
    'ResizeKeepRatio, longest=1',
    { kind: 'keepRatio', width: 96, height: 61, edge: 'longest' },
    '91x61 39x61 96x8 61x61 96x16 42x61 2x61 81x61',
  ],
  [
    'ResizeKeepRatio, longest=0',
    { kind: 'keepRatio', width: 96, height: 61, edge: 'shortest' },
    '96x64 96x149 702x61 96x96 366x61 96x140 96x2787 96x72',
  ],
];

describe('a size rule', () => {
  it.each(rows)('gives the sizes of %s', (_, rule, sizes) => {
    const ours = images.map(([width, height]) => {
      const size = kindOfSizeRule(rule).size(rule, { width, height });
      return Math.min(size.width, size.height) === 0 ? '-' : `${size.width}x${size.height}`;
    });
    expect(ours.join(' ')).toBe(sizes);
  });
});
