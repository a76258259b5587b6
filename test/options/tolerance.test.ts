import { describe, expect, it } from 'vitest';
import { parseTolerance, toleranceText } from '../../src/options/tolerance.ts';

describe(parseTolerance, () => {
  it('reads a number as the largest difference', () => {
    expect(parseTolerance('0.01')).toEqual({ max: 0.01 });
    expect(parseTolerance('0')).toEqual({ max: 0 });
    expect(parseTolerance(' 1e-3 ')).toEqual({ max: 0.001 });
    expect(parseTolerance('.5')).toEqual({ max: 0.5 });
  });

  it('reads measures by name, and several of them', () => {
    expect(parseTolerance('mean:0.001')).toEqual({ mean: 0.001 });
    expect(parseTolerance('max:2, share:0.01')).toEqual({ max: 2, share: 0.01 });
    expect(parseTolerance(toleranceText({ max: 2, mean: 0.5, share: 1 }))).toEqual({
      max: 2,
      mean: 0.5,
      share: 1,
    });
  });

  it.each([
    '',
    'x',
    '-1',
    'max',
    'max:',
    'median:1',
    'toString:1',
    '1,2',
    'max:1,max:2',
    'share:1.5',
    'Infinity',
    '1%',
    '1,',
  ])('refuses "%s"', (text) => {
    expect(parseTolerance(text)).toBeUndefined();
  });
});
