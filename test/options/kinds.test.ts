import { describe, expect, it } from 'vitest';
import { colour, finiteNumber, finiteNumbers, heightAndWidth, text } from '../../src/options/kinds.ts';

describe('finiteNumber', () => {
  it.each([
    ['0.5', 0.5],
    ['-2', -2],
    ['1e-3', 0.001],
    ['0.00392156862745098', 0.00392156862745098],
  ])('reads %j as %d', (text, value) => {
    expect(finiteNumber.parse(text)).toBe(value);
  });

  it.each(['', ' ', 'x', '1,2', 'NaN', 'Infinity', '1e999'])('refuses %j', (text) => {
    expect(finiteNumber.parse(text)).toBeUndefined();
  });
});

describe('finiteNumbers', () => {
  it.each([
    ['0.5', [0.5]],
    ['0.485,0.456, 0.406', [0.485, 0.456, 0.406]],
    ['-1e-3', [-0.001]],
  ])('reads %j', (text, values) => {
    expect(finiteNumbers.parse(text)).toEqual(values);
  });

  it.each(['', '1,', ',1', '1,,2', '1;2', 'x', 'NaN', '1,Infinity', '1e999'])('refuses %j', (text) => {
    expect(finiteNumbers.parse(text)).toBeUndefined();
  });
});

describe(heightAndWidth, () => {
  const sides = heightAndWidth(1, 1000);

  it.each([
    ['640', [640]],
    ['640.0', [640]],
    ['480,640', [480, 640]],
    ['[480, 640]', [480, 640]],
    ['(480,)', [480]],
  ])('reads %j', (given, values) => {
    expect(sides.parse(given)).toEqual(values);
  });

  it.each(['', '0', '-32', '0.5', '1001', '480,1001', '480,640,3', '480x640', 'x'])('refuses %j', (given) => {
    expect(sides.parse(given)).toBeUndefined();
  });
});

describe('colour', () => {
  it.each([
    ['FF8000', '#ff8000'],
    ['#00ff7f', '#00ff7f'],
  ])('reads %j', (given, value) => {
    expect(colour.parse(given)).toBe(value);
  });

  it.each(['orange', '#ff80', '##ff8000', 'ff80000', ''])('refuses %j', (given) => {
    expect(colour.parse(given)).toBeUndefined();
  });
});

describe(text, () => {
  it('accepts a text of 1 to the most characters', () => {
    const name = text('a name', 3);
    expect(['', 'a', 'abc', 'abcd'].map(name.parse)).toEqual([undefined, 'a', 'abc', undefined]);
  });
});
