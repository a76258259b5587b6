import { describe, expect, it } from 'vitest';
import {
  type CheckArguments,
  type PairsArguments,
  readSkewArguments,
} from '../../../src/client/skew/skew-arguments.ts';

const pairsOf = (...argv: string[]) => readSkewArguments(argv, {}) as PairsArguments;
const checkOf = (...argv: string[]) => readSkewArguments(argv, {}) as CheckArguments;

describe(readSkewArguments, () => {
  it('reads pairs, each an image and a file', () => {
    const { pairs, tolerance } = pairsOf(
      '--preset',
      'resnet50',
      'a.jpg',
      'a.npy',
      'https://x.example/b',
      'b.png',
    );
    expect(pairs.map(({ image, tensor }) => [image, tensor])).toEqual([
      ['a.jpg', 'a.npy'],
      ['https://x.example/b', 'b.png'],
    ]);
    expect(pairs.map(({ comparison }) => comparison.given.case)).toEqual(['tensor', 'picture']);
    expect(pairs[0]?.comparison.expected.preset).toBe('resnet50');
    expect(tolerance).toBeUndefined();
  });

  it('takes the datatype beside a shape as that of the raw values', () => {
    const [pair] = pairsOf(
      '--preset',
      'resnet50',
      '--shape',
      '(3, 2, 2)',
      '--datatype',
      'int64',
      'a.jpg',
      'a.raw',
    ).pairs;
    expect(pair?.comparison.given).toEqual({ case: 'tensor', shape: [3, 2, 2], datatype: 'INT64', name: '' });
    expect(() => pairsOf('--preset', 'resnet50', '--shape', '3,2,2', 'a.jpg', 'a.raw')).toThrow(
      'need --datatype too',
    );
  });

  it('takes the path of an image as a picture only without a shape', () => {
    expect(pairsOf('--preset', 'resnet50', '--picture', 'a.jpg', 'b').pairs[0]?.comparison.given.case).toBe(
      'picture',
    );
    expect(() => pairsOf('--preset', 'resnet50', '--tensor-name', 'x', 'a.jpg', 'b.png')).toThrow(
      '"b.png" is an image',
    );
  });

  it.each([
    [['a.jpg'], 'IMAGE and TENSOR are needed for each pair, got "a.jpg"'],
    [['a.jpg', 'a.npy', 'b.jpg'], 'IMAGE and TENSOR are needed for each pair'],
    [[], 'got nothing'],
    [['-', '-'], '"-" can be one file only'],
    [['a.jpg', 'https://x.example/a.npy'], 'allowed: the path of a file'],
    [['--map', 'm.png', 'a', 'b', 'c', 'd'], '--map is of one pair'],
    [['--report', 'r.xml', 'a.jpg', 'a.npy'], '--report goes with --check only'],
    [['--tolerance', '-1', 'a.jpg', 'a.npy'], /--tolerance/],
    [['--check', 'l.jsonl', 'a.jpg'], '--check takes the pairs of its list'],
    [['--check', 'l.jsonl', '--map', 'm.png'], '--map goes with IMAGE and TENSOR'],
    [['--check', 'l.jsonl', '--report', 'r.txt'], 'ends with .xml (JUnit) or .json'],
    [['--api', 'a', '--processor', 'b', 'a.jpg', 'a.npy'], '--api and --processor exclude each other'],
  ])('refuses %j', (argv, message) => {
    expect(() => readSkewArguments(['--preset', 'resnet50', ...argv], {})).toThrow(message);
  });

  it('refuses options that name no tensor, or do not go together', () => {
    expect(() => pairsOf('a.jpg', 'a.npy')).toThrow('Nothing says which tensor is right: set --preset');
    expect(() => pairsOf('--width', '9', '--format', 'png', 'a.jpg', 'a.npy')).toThrow('--format is png');
    expect(() => pairsOf('--preset', 'resnet50', '--width', '9', 'a.jpg', 'a.npy')).toThrow(
      'determines --width',
    );
  });

  it('reads a check', () => {
    const { list, tolerance, report, limits, options } = checkOf(
      ...[
        '--check',
        'golden.jsonl',
        '--tolerance',
        'max:0.1,mean:0.01',
        '--report',
        'out/R.XML',
        '--preset',
        'resnet50',
      ],
    );
    expect({ list, tolerance, report, options }).toEqual({
      list: 'golden.jsonl',
      tolerance: { max: 0.1, mean: 0.01 },
      report: { path: 'out/R.XML', form: 'junit' },
      options: [['preset', 'resnet50']],
    });
    expect(limits).toMatchObject({ inFlight: 4, tries: 5 });
    expect(checkOf('--check', '-').report).toBeUndefined();
  });
});
