import { describe, expect, it } from 'vitest';
import { decoderOf } from '../../../../src/processor/codecs/codecs.ts';
import { createBitReader, plus } from '../../../../src/processor/codecs/jxl/bits.ts';
import { readJxlHeader } from '../../../../src/processor/codecs/jxl/header.ts';
import { compareWithPillow, optionalFixture, optionalFixtures } from '../../../support/optional-goldens.ts';

const { exact, lossy } = optionalFixtures('jxl');

describe('JPEG XL', () => {
  it.each(exact)('decodes %s to the bytes of Pillow and pillow-jxl-plugin', async (name) => {
    const { ours, theirs } = await compareWithPillow(name);
    expect(ours).toEqual(theirs);
  });

  // libjxl dithers its 8 bits; of a recompressed JPEG the plugin decodes the JPEG itself.
  it.each(lossy)('decodes %s to within a level of Pillow and pillow-jxl-plugin', async (name) => {
    const { ours, theirs, mostLevels } = await compareWithPillow(name);
    expect([ours.width, ours.height]).toEqual([theirs.width, theirs.height]);
    expect(mostLevels).toBeLessThanOrEqual(name === 'lossy-from-jpeg.jxl' ? 5 : 1);
  });

  it.each(['rgb.jxl', 'lossy.jxl'])('refuses %s when it is cut off', async (name) => {
    const whole = optionalFixture(name);
    const { decode } = await decoderOf('jxl');
    const header = readJxlHeader(whole);
    const half = whole.subarray(0, whole.length / 2);
    await expect((async () => decode(half, header))()).rejects.toMatchObject({ reason: 'IMAGE_CORRUPT' });
  });
});

describe(readJxlHeader, () => {
  it.each([
    ['rgb.jxl', { width: 71, height: 53, colour: 'rgb', bitDepth: 8, hasAlpha: false, orientation: 1 }],
    ['gray.jxl', { colour: 'gray', bitDepth: 8, hasAlpha: false }],
    ['gray-16-bit.jxl', { colour: 'gray', bitDepth: 16 }],
    ['gray-alpha.jxl', { colour: 'gray', hasAlpha: true }],
    ['alpha.jxl', { colour: 'rgb', hasAlpha: true }],
    ['lossy-gray.jxl', { colour: 'gray' }],
    ['lossy-from-jpeg.jxl', { colour: 'rgb', hasAlpha: false }],
    // EXIF's orientation, as in Pillow; the size as stored.
    ['orientation-6.jxl', { width: 72, height: 54, orientation: 6 }],
  ])('reads %s', (name, expected) => {
    expect(readJxlHeader(optionalFixture(name))).toMatchObject({ format: 'jxl', ...expected });
  });

  it.each([
    ['an empty file', Buffer.from([0xff, 0x0a])],
    ['a container without a codestream', Buffer.from('\0\0\0\x0cJXL \r\n\x87\n', 'latin1')],
    ['a box of 4 bytes', Buffer.from('\0\0\0\x0cJXL \r\n\x87\n\0\0\0\x04jxlc', 'latin1')],
  ])('refuses %s', (_, file) => {
    expect(() => readJxlHeader(file)).toThrow(
      expect.objectContaining({ reason: 'IMAGE_CORRUPT', metadata: { format: 'jxl' } }),
    );
  });

  it('applies the orientation of the codestream to the size, and refuses floating-point samples', () => {
    // 8 × 16 by a small SizeHeader; orientation 6; no intrinsic size, preview or animation; 8-bit integers.
    expect(readJxlHeader(codestream('1 10000 000 00000  0 1 101 000 000', '0 00 0 00 0 1'))).toMatchObject({
      width: 16,
      height: 8,
    });
    expect(() => readJxlHeader(codestream('1 10000 000 00000  0 0', '1 00 1010 0 00 0 1'))).toThrow(
      expect.objectContaining({
        reason: 'FORMAT_UNSUPPORTED',
        metadata: { format: 'jxl', samples: 'floating-point numbers of 32 bits' },
      }),
    );
  });
});

/** A codestream of these bits, lowest first. */
function codestream(...bits: readonly string[]): Buffer {
  const digits = bits.join('').replaceAll(/[^01]/g, '');
  const bytes = Array.from({ length: Math.ceil(digits.length / 8) }, (_, index) =>
    Number.parseInt([...digits.slice(8 * index, 8 * index + 8).padEnd(8, '0')].reverse().join(''), 2),
  );
  return Buffer.from([0xff, 0x0a, ...bytes, 0, 0]);
}

describe(createBitReader, () => {
  it('reads bits lowest first, across bytes', () => {
    const { bits, choice, bool } = createBitReader(Uint8Array.of(0b1010_0110, 0b0000_0011));
    expect([bits(3), bool(), bits(6)]).toEqual([0b110, false, 0b111010]);
    expect(choice(7, 8, 9, plus(2, 1))).toBe(7);
  });

  it('throws past the end', () => {
    expect(() => createBitReader(Uint8Array.of(0)).bits(9)).toThrow(RangeError);
  });
});
