import { describe, expect, it } from 'vitest';
import { libraries } from '../../../src/processor/codecs/libraries.ts';

describe('libraries', () => {
  it('contains the version of each library that decodes or encodes', () => {
    expect(Object.keys(libraries)).toEqual(expect.arrayContaining(['sharp', 'vips', 'png', 'webp', 'tiff']));
    for (const version of Object.values(libraries)) expect(version).toMatch(/^[0-9a-f.]+$/);
  });
});
