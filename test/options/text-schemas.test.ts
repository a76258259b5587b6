import { describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { commaSeparated, flag, numberInRange, oneOf, wholeNumber } from '../../src/options/text-schemas.ts';

/** The value of a text, or the allowed values if it is invalid. */
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

describe(numberInRange, () => {
  it('reads numbers of the range, with a fraction or without', () => {
    expect(['0', '0.25', '1'].map((text) => read(numberInRange(0, 1), text))).toEqual([0, 0.25, 1]);
  });

  it.each(['', 'half', '-0.1', '1.5', 'NaN'])('refuses %j', (text) => {
    expect(read(numberInRange(0, 1), text)).toBe('allowed: a number from 0 to 1');
  });
});
