import { describe, expect, it } from 'vitest';
import { findClash, isExcluded } from '../../src/options/clash.ts';
import { describeOption, rules } from '../../src/options/combinations.ts';
import { standardDefaults } from '../../src/options/image-options.ts';
import { messageDefaults, optionsOfMessage } from '../../src/options/image-request.ts';
import { parseOptions } from '../../src/options/parse-options.ts';
import { refusal, requestFor } from '../support/options.ts';

/** Queries of which each breaks one rule, by the option that is refused. */
const broken = [
  ['preset=a&width=5', 'width'],
  ['preprocessor_config={}&mean=1', 'mean'],
  ['preset=a&preprocessor_config={}', 'preset'],
  ['scale=false&filter=box', 'filter'],
  ['shortest_edge=5&height=5', 'height'],
  ['shortest_edge=5&fit=fill', 'fit'],
  ['crop_width=5', 'crop_width'],
  ['store=false&store_link=5', 'store_link'],
  ['crop_height=5', 'crop_height'],
  ['format=png&datatype=fp32', 'datatype'],
  ['format=npy&quality=80', 'quality'],
  ['preprocessor_config={}&stride=32', 'stride'],
  ['format=npy&datatype=uint8&std=2', 'datatype'],
  ['format=npy&datatype=bf16', 'datatype'],
  ['preset=a&format=vllm&layout=nchw', 'layout'],
  ['format=npy&pixels=uint8&mean=2', 'pixels'],
  ['preset=a&pixels=uint8&datatype=fp16', 'datatype'],
  ['format=png&alpha=drop&background=ff0000', 'alpha'],
  ['width=5&filter=box&numerics=torch', 'filter'],
  ['width=5&filter=lanczos&numerics=opencv', 'filter'],
  ['width=5&filter=hamming&numerics=fast', 'filter'],
] as const;

describe('rules', () => {
  it.each(broken)('refuse %s because of %s', (query, option) => {
    const { reason, message, metadata } = refusal(query);
    const actual = new URLSearchParams(query).get(option);
    expect({ reason, ...metadata }).toMatchObject({ reason: 'OPTION_INVALID', option, actual });
    expect(message).toContain(option);
  });

  it('each have a query that breaks them', () => {
    const found = broken.map(([query]) => {
      const { values } = parseOptions([...new URLSearchParams(query)]);
      return findClash(values, standardDefaults)?.rule;
    });
    expect(new Set(found)).toEqual(new Set(rules));
  });

  it.each([
    'format=npy&datatype=uint8&rescale=1',
    'format=raw&datatype=bf16',
    'preset=a&format=jpeg&quality=80',
    'scale=true&width=5',
    'filter=hamming&numerics=exact',
    'scale=false&numerics=fast',
    'preset=a&numerics=pillow',
    'preset=a&orientation=ignore&alpha=white&pixels=uint8&datatype=uint8',
    'alpha=default&background=ff0000',
    'format=npy&pixels=uint8&rescale=1',
    'preset=a&numerics=torch',
    'width=5&filter=lanczos&numerics=torch',
    'width=5&filter=box&numerics=opencv',
  ])('take %s', (query) => {
    expect(requestFor(query)).toBeDefined();
  });

  it('apply to a default as far as it is in force', () => {
    expect(refusal('numerics=fast', { filter: 'box' }).metadata).toMatchObject({
      option: 'filter',
      actual: 'box',
    });
    expect(requestFor('numerics=fast&scale=false', { filter: 'box' }).resize).toBeUndefined();
    expect(requestFor('numerics=fast&preset=a', { filter: 'box' }).preset).toBe('a');
  });

  it('do not apply to options whose defaults are not known', () => {
    expect(findClash({ quality: 80 }, {})).toBeUndefined();
    expect(findClash({ quality: 80, format: 'png' }, {})?.option).toBe('quality');
  });
});

describe(optionsOfMessage, () => {
  it.each([
    'width=5&height=6&fit=cover&filter=lanczos&grayscale=true&background=ffee00&numerics=fast',
    'shortest_edge=5&filter=box&crop_width=4&crop_height=3&format=webp&quality=50',
    'scale=false&format=raw&datatype=bf16&layout=nhwc&rescale=0.5&mean=1,2,3&std=2&channel_order=bgr',
    'preset=a&format=safetensors&datatype=fp16',
    'preprocessor_config={}&format=png&numerics=exact',
  ])('gives back the options of %s', (query) => {
    const message = requestFor(query, { grayscale: false });
    const options = optionsOfMessage(message);
    expect(findClash(options, messageDefaults)).toBeUndefined();
    const { scale: _, ...given } = parseOptions([...new URLSearchParams(query)]).values;
    expect(options).toMatchObject(given);
  });
});

describe(isExcluded, () => {
  it('lists the options that the others exclude', () => {
    expect(isExcluded('width', 5, { shortest_edge: 5 })).toBe(true);
    expect(isExcluded('shortest_edge', 5, { width: 5 })).toBe(true);
    expect(isExcluded('filter', 'box', { shortest_edge: 5 })).toBe(false);
    expect(isExcluded('grayscale', true, { preset: 'a' })).toBe(true);
    expect(isExcluded('mean', [1], { format: 'png' })).toBe(true);
    expect(isExcluded('crop_width', 5, {})).toBe(false);
  });

  it('lists the words of an option that the others exclude', () => {
    expect(isExcluded('datatype', 'bf16', { format: 'npy' })).toBe(true);
    expect(isExcluded('datatype', 'fp16', { format: 'npy' })).toBe(false);
    expect(isExcluded('filter', 'box', { numerics: 'fast' })).toBe(true);
  });

  it('is not affected by a contradiction between the others', () => {
    expect(isExcluded('layout', 'nhwc', { format: 'npy', datatype: 'bf16' })).toBe(false);
  });
});

describe(describeOption, () => {
  it('lists the rules after the meaning', () => {
    expect(describeOption('crop_width')).toBe(
      'Width in pixels to cut out of the middle after the resize; not beside a preset; only with crop_height',
    );
  });
});
