import { describe, expect, it } from 'vitest';
import { sourceFormats } from '../../../src/processor/codecs/codecs.ts';
import { loadLibraries } from '../../../src/processor/codecs/libraries.ts';

describe(loadLibraries, () => {
  it('returns the version of each library that decodes or encodes', async () => {
    const libraries = await loadLibraries(['jpeg']);
    expect(Object.keys(libraries)).toEqual(expect.arrayContaining(['sharp', 'vips', 'png', 'webp', 'tiff']));
    for (const version of Object.values(libraries))
      expect(version).toMatch(/^[0-9a-f.]+(-motley-[0-9a-f]+|\+(bundled|system|configured))?$/);
    expect(libraries).not.toHaveProperty('libheif-js');
  });

  it('returns the versions of the optional packages of the enabled formats', async () => {
    const { 'libheif-js': libheif, 'jxl-oxide': oxide } = await loadLibraries(sourceFormats);
    expect([libheif, oxide]).toEqual(['1.23.2', '0.12.5']);
  });
});
