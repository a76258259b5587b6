import { describe, expect, it } from 'vitest';
import { compareFile, type KnownDifference, type Ours, type Theirs } from './compare-files.ts';

const gif: KnownDifference = {
  id: 'gif',
  source: 'GIF',
  difference: 'a level',
  outcome: 'differs',
  when: { format: '^gif$', decisions: 'alpha=' },
  maxLevels: 1,
};
const refusal: KnownDifference = {
  id: 'refusal',
  source: 'a format that is not read',
  difference: 'FORMAT_UNSUPPORTED',
  outcome: 'Pillow only',
  when: { reason: '^FORMAT_UNSUPPORTED$' },
};
const known = [gif, refusal];

const ours = (...pixels: number[]): Ours => ({
  width: 1,
  height: pixels.length / 3,
  pixels: Uint8Array.from(pixels),
  format: 'gif',
  decisions: ['alpha=dropped'],
});
const theirs = (...pixels: number[]): Theirs => ({
  width: 1,
  height: pixels.length / 3,
  pixels: Uint8Array.from(pixels),
  format: 'GIF',
  mode: 'P',
  layout: '',
});

describe(compareFile, () => {
  it('finds equal bytes identical', () => {
    expect(compareFile(ours(1, 2, 3), theirs(1, 2, 3), known)).toEqual({
      outcome: 'identical',
      detail: '',
      known: undefined,
      isUndocumented: false,
    });
  });

  it('reports how much the bytes differ, and which entry covers it', () => {
    expect(compareFile(ours(1, 2, 3), theirs(1, 3, 3), known)).toEqual({
      outcome: 'differs',
      detail: 'up to 1 levels, mean 0.33, 33.3 % of values',
      known: gif,
      isUndocumented: false,
    });
  });

  it('treats a difference as undocumented that is larger than the entry allows', () => {
    expect(compareFile(ours(1, 2, 3), theirs(1, 4, 3), known)).toMatchObject({
      outcome: 'differs',
      isUndocumented: true,
    });
  });

  it('treats another size as undocumented, even if an entry allows differences of levels', () => {
    expect(compareFile(ours(1, 2, 3), theirs(1, 2, 3, 4, 5, 6), known)).toMatchObject({
      outcome: 'differs',
      detail: '1 × 1, Pillow 1 × 2',
      isUndocumented: true,
    });
  });

  it('looks a refusal up by its reason, and treats a file that both refuse as equal', () => {
    const unsupported: Ours = { reason: 'FORMAT_UNSUPPORTED', message: 'PSD is not read here.' };
    const corrupt: Ours = { reason: 'IMAGE_CORRUPT', message: 'It is cut off.' };
    expect(compareFile(unsupported, theirs(1, 2, 3), known)).toMatchObject({
      outcome: 'Pillow only',
      known: refusal,
    });
    expect(compareFile(corrupt, theirs(1, 2, 3), known)).toMatchObject({
      outcome: 'Pillow only',
      isUndocumented: true,
    });
    expect(compareFile(corrupt, { error: 'OSError: truncated', layout: '' }, known)).toMatchObject({
      outcome: 'refused',
      isUndocumented: false,
    });
  });

  it('counts a file that only the service reads as undocumented unless an entry covers it', () => {
    expect(compareFile(ours(1, 2, 3), { error: 'OSError: broken', layout: '' }, known)).toMatchObject({
      outcome: 'service only',
      detail: 'OSError: broken',
      isUndocumented: true,
    });
  });

  it('recognises gray of 16 bits that equals Pillow’s except for its clipping', () => {
    const entry: KnownDifference = { ...gif, when: { rule: '^16 bits$' }, maxLevels: 255 };
    const clipped = { ...theirs(255, 255, 255), right: Uint8Array.from([1, 2, 3]) };
    expect(compareFile(ours(1, 2, 3), clipped, [entry]).known).toBe(entry);
    expect(compareFile(ours(1, 2, 4), clipped, [entry]).isUndocumented).toBe(true);
  });
});

describe('known-differences.json', () => {
  const theirsOf = (format: string, mode: string, layout: string): Theirs => ({
    ...theirs(1, 2, 9),
    format,
    mode,
    layout,
  });
  const refused = (reason: string): Ours => ({ reason, message: 'It is cut off or damaged.' });

  it('covers a PNG that is refused for what is wrong with its chunks, and no other', () => {
    const damaged = compareFile(refused('IMAGE_CORRUPT'), theirsOf('PNG', 'RGB', 'wrong checksum of IDAT'));
    expect(damaged.known?.id).toBe('png-checksums');
    for (const layout of ['', 'wrong checksum of metadata']) {
      const comparison = compareFile(refused('IMAGE_CORRUPT'), theirsOf('PNG', 'RGB', layout));
      expect(comparison.isUndocumented).toBe(true);
    }
  });

  it('covers a PNG that Pillow refuses for its metadata, and not for its pixels', () => {
    const png: Ours = { ...ours(1, 2, 3), format: 'png' };
    const refusedFor = (error: string) => compareFile(png, { error, layout: '' });
    expect(refusedFor("SyntaxError: broken PNG file (bad header checksum in b'tEXt')").known?.id).toBe(
      'png-damaged-metadata',
    );
    expect(refusedFor("SyntaxError: broken PNG file (bad header checksum in b'IDAT')").isUndocumented).toBe(
      true,
    );
    expect(refusedFor('OSError: image file is truncated').isUndocumented).toBe(true);
  });

  it('covers one level where alpha is associated, and nothing where it is not', () => {
    const rgba = (blue: number): Ours => ({ ...ours(1, 2, blue), format: 'tiff' });
    const associated = 'compression 5, photometric 2, bits 8, planes 1, extra 1, strips';
    expect(compareFile(rgba(8), theirsOf('TIFF', 'RGBA', associated)).known?.id).toBe(
      'tiff-associated-alpha',
    );
    expect(compareFile(rgba(7), theirsOf('TIFF', 'RGBA', associated)).isUndocumented).toBe(true);
    const straight = associated.replace('extra 1', 'extra 2');
    expect(compareFile(rgba(8), theirsOf('TIFF', 'RGBA', straight)).isUndocumented).toBe(true);
  });

  it('covers no refusal by FORMAT_UNSUPPORTED of a JPEG, PNG, WebP or GIF that Pillow reads', () => {
    for (const format of ['JPEG', 'PNG', 'WEBP', 'GIF']) {
      const comparison = compareFile(refused('FORMAT_UNSUPPORTED'), theirsOf(format, 'RGB', ''));
      expect(comparison.isUndocumented).toBe(true);
    }
  });
});
