import { describe, expect, it } from 'vitest';
import { joinLists, parseOptions } from '../../src/options/parse-options.ts';
import { refusal } from '../support/options.ts';

describe(parseOptions, () => {
  it('shortens a long value that it repeats', () => {
    const { metadata } = refusal(`width=${'9'.repeat(5000)}`);
    expect(metadata.actual).toBe(`${'9'.repeat(100)}…`);
  });
});

describe('options as clients write them', () => {
  it.each([
    ['grayscale=False', { grayscale: false }],
    ['grayscale=True', { grayscale: true }],
    ['width=224.0', { width: 224 }],
    ['width=224.00&height=7.0', { width: 224, height: 7 }],
    ['mean=0.1,0.2,0.3', { mean: [0.1, 0.2, 0.3] }],
    ['mean=0.1&mean=0.2&mean=0.3', { mean: [0.1, 0.2, 0.3] }],
    ['mean[]=0.1&mean[]=0.2&mean[]=0.3', { mean: [0.1, 0.2, 0.3] }],
    ['mean[0]=0.1&mean[1]=0.2&std=3', { mean: [0.1, 0.2], std: [3] }],
    ['mean=[0.1, 0.2, 0.3]', { mean: [0.1, 0.2, 0.3] }],
    ['mean=(0.1, 0.2)', { mean: [0.1, 0.2] }],
    ['mean=(0.1,)', { mean: [0.1] }],
    ['mean=[0.1 0.2  0.3]', { mean: [0.1, 0.2, 0.3] }],
    ['imgsz=640', { imgsz: [640] }],
    ['imgsz=480&imgsz=640', { imgsz: [480, 640] }],
    ['imgsz[]=480&imgsz[]=640', { imgsz: [480, 640] }],
    ['imgsz=(480, 640)', { imgsz: [480, 640] }],
  ])('reads %s', (query, options) => {
    expect(parseOptions(joinLists([...new URLSearchParams(query)])).values).toEqual(options);
  });

  it.each([
    ['width=224.5', 'OPTION_INVALID'],
    ['width=2e2', 'OPTION_INVALID'],
    ['grayscale=TRUE', 'OPTION_INVALID'],
    ['grayscale=maybe', 'OPTION_INVALID'],
    ['grayscale=yes', 'OPTION_INVALID'],
    ['width=1&width=1', 'OPTION_INVALID'],
    ['mean=0.1&mean=x', 'OPTION_INVALID'],
    ['mean=[0.1', 'OPTION_INVALID'],
    ['mean=', 'OPTION_INVALID'],
    // Which value is the first?
    ['mean[1]=0.1&mean[0]=0.2', 'OPTION_UNKNOWN'],
    ['width[]=1', 'OPTION_UNKNOWN'],
  ])('refuses %s: what it means is not certain', (query, reason) => {
    const read = () => parseOptions(joinLists([...new URLSearchParams(query)]));
    expect(read).toThrow(expect.objectContaining({ reason }));
  });
});
