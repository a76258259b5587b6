import { describe, expect, it } from 'vitest';
import type { z } from 'zod';
import {
  commaSeparated,
  finiteNumber,
  flag,
  numbers,
  oneOf,
  wholeNumber,
} from '../../src/options/text-schemas.ts';

/** The value that a text is read as, or what would be allowed instead. */
function read(schema: z.ZodType, text: string): unknown {
  const result = schema.safeParse(text);
  return result.success ? result.data : `allowed: ${result.error.issues[0]?.message}`;
}

describe(wholeNumber, () => {
  it.each([
    ['1', 1],
    ['65535', 65_535],
    ['007', 7],
  ])('reads %j as %d', (text, value) => {
    expect(read(wholeNumber(1, 65_535), text)).toBe(value);
  });

  it('reads as many digits as its largest number has', () => {
    expect(read(wholeNumber(0, 1_099_511_627_776), '1099511627776')).toBe(1_099_511_627_776);
  });

  it.each([
    '0',
    '65536',
    '-1',
    '+1',
    '1.5',
    '1e3',
    '0x10',
    'abc',
    '',
    ' 1',
    '1 ',
    '１',
    '9'.repeat(400),
    '1000000000',
  ])('refuses %j', (text) => {
    expect(read(wholeNumber(1, 65_535), text)).toBe('allowed: a whole number from 1 to 65535');
  });
});

describe(flag, () => {
  it.each([
    ['true', true],
    ['1', true],
    ['false', false],
    ['0', false],
  ])('reads %j as %s', (text, value) => {
    expect(read(flag(), text)).toBe(value);
  });

  it.each(['', 'yes', 'TRUE', 'on', '2'])('refuses %j', (text) => {
    expect(read(flag(), text)).toBe('allowed: true or false');
  });
});

describe(oneOf, () => {
  it('reads a word of the list and no other', () => {
    expect(read(oneOf(['fill', 'cover']), 'cover')).toBe('cover');
    expect(read(oneOf(['fill', 'cover']), 'Cover')).toBe('allowed: one of fill, cover');
    expect(read(oneOf(['fill', 'cover']), 'toString')).toBe('allowed: one of fill, cover');
  });
});

describe(commaSeparated, () => {
  it('reads words without the spaces around them, and no empty ones', () => {
    expect(read(commaSeparated(), 'a, b ,,c')).toEqual(['a', 'b', 'c']);
    expect(read(commaSeparated(), ' , ')).toEqual([]);
  });
});

describe(finiteNumber, () => {
  it.each([
    ['0.5', 0.5],
    ['-2', -2],
    ['1e-3', 0.001],
    ['0.00392156862745098', 0.00392156862745098],
  ])('reads %j as %d', (text, value) => {
    expect(read(finiteNumber(), text)).toBe(value);
  });

  it.each(['', ' ', 'x', '1,2', 'NaN', 'Infinity', '1e999'])('refuses %j', (text) => {
    expect(read(finiteNumber(), text)).toBe('allowed: a finite number');
  });
});

describe(numbers, () => {
  it.each([
    ['0.5', [0.5]],
    ['0.485,0.456, 0.406', [0.485, 0.456, 0.406]],
    ['-1e-3', [-0.001]],
  ])('reads %j', (text, values) => {
    expect(read(numbers(), text)).toEqual(values);
  });

  it.each(['', '1,', ',1', '1,,2', '1;2', 'x', 'NaN', '1,Infinity', '1e999'])('refuses %j', (text) => {
    expect(read(numbers(), text)).toBe('allowed: finite numbers with commas between them');
  });
});
