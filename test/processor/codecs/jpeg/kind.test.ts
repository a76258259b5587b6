import { describe, expect, it } from 'vitest';
import { Failure } from '../../../../src/failures.ts';
import { checkJpegKind } from '../../../../src/processor/codecs/jpeg/kind.ts';
import { readHeader } from '../../../../src/processor/codecs/read-header.ts';
import { encoded, gradient } from '../../../support/pictures.ts';

const jpeg = Buffer.from(await encoded(gradient(23, 17), 'jpeg'));
const frame = jpeg.indexOf(Buffer.of(0xff, 0xc0));

/** The JPEG with some bytes of its frame header set; offsets count from the marker's first byte. */
function withFrame(bytes: Readonly<Record<number, number>>): Buffer {
  const file = Buffer.from(jpeg);
  for (const [at, value] of Object.entries(bytes)) file[frame + Number(at)] = value;
  return file;
}

describe(checkJpegKind, () => {
  it.each<[what: string, file: Uint8Array, words: string, metadata: Readonly<Record<string, string>>]>([
    [
      '12 bits',
      withFrame({ 1: 0xc1, 4: 12 }),
      'Its samples have 12 bits; 8 are supported.',
      { bits_per_sample: '12' },
    ],
    [
      'lossless of 16 bits',
      withFrame({ 1: 0xc3, 4: 16 }),
      'Its samples have 16 bits',
      { bits_per_sample: '16' },
    ],
    ['JPEG-LS', withFrame({ 1: 0xf7 }), 'It is JPEG-LS.', { coding: 'JPEG-LS' }],
    ['hierarchical', withFrame({ 1: 0xc5 }), 'It is hierarchical.', { coding: 'hierarchical' }],
    [
      'of two components',
      withFrame({ 9: 2 }),
      'It has 2 components; 1, 3, 4 are supported.',
      { components: '2' },
    ],
  ])('refuses a JPEG that is %s by name', async (_, file, words, metadata) => {
    const failure: unknown = await readHeader(file, 1000).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(Failure);
    expect(failure).toMatchObject({
      reason: 'FORMAT_UNSUPPORTED',
      metadata: { format: 'jpeg', ...metadata },
    });
    expect((failure as Failure).message).toContain(words);
  });

  it('accepts the JPEG itself, and leaves a file without a frame to the decoder', () => {
    expect(() => checkJpegKind(jpeg)).not.toThrow();
    expect(() => checkJpegKind(jpeg.subarray(0, frame))).not.toThrow();
    expect(() => checkJpegKind(Buffer.alloc(0))).not.toThrow();
  });
});
