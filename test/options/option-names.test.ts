import { describe, expect, it } from 'vitest';
import { Failure } from '../../src/failures.ts';
import { imageOptionNames, imageOptions } from '../../src/options/image-options.ts';
import { invalidOption } from '../../src/options/invalid-option.ts';
import { inOptionNames } from '../../src/options/option-names.ts';

describe(inOptionNames, () => {
  it.each(imageOptionNames)('names %s as the option, not as the field', (name) => {
    const { message, metadata } = inOptionNames(invalidOption(imageOptions[name].field, '7', 'unset'));
    expect(metadata).toEqual({ option: name, actual: '7', allowed: 'unset' });
    expect(message).toBe(`${name} is 7; allowed: unset.`);
  });

  it.each([
    ['source_options.password', 'password'],
    ['preset_settings.imgsz_width', 'imgsz'],
    ['container', 'format'],
    ['output', 'format'],
  ])('names %s, which no option has as its field, as %s', (field, name) => {
    expect(inOptionNames(invalidOption(field, '7', 'unset')).metadata.option).toBe(name);
  });

  it('keeps the number of a variant, the cause and whether a retry can help', () => {
    const cause = new Error('lost');
    const message = 'Variant 1: source_options.page is 2; allowed: unset.';
    const metadata = { option: 'source_options.page', index: '1' };
    const failure = new Failure('OPTION_INVALID', message, metadata, { cause, isRetryable: true });
    expect(inOptionNames(failure)).toMatchObject({
      message: 'Variant 1: page is 2; allowed: unset.',
      metadata: { option: 'page', index: '1' },
      cause,
      isRetryable: true,
    });
  });

  it.each([
    new Failure('OPTION_INVALID', 'url is given twice; give it once.', { option: 'url' }),
    new Failure('OPTION_UNKNOWN', 'There is no option "container".', { option: 'container' }),
    new Failure('IMAGE_CORRUPT', 'The image cannot be decoded.'),
  ])('leaves other failures as they are: $message', (failure) => {
    expect(inOptionNames(failure)).toBe(failure);
  });
});
