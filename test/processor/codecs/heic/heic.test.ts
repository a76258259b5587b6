import { describe, expect, it } from 'vitest';
import { decoderOf } from '../../../../src/processor/codecs/codecs.ts';
import { readHeicStructure } from '../../../../src/processor/codecs/heic/structure.ts';
import { readHeader } from '../../../../src/processor/codecs/read-header.ts';
import { compareWithPillow, optionalFixture, optionalFixtures } from '../../../support/optional-goldens.ts';

const maxPixels = 1_000_000;
const { exact, lossy } = optionalFixtures('heic');

describe('HEIC', () => {
  it.each(exact)('decodes %s to the bytes of Pillow and pillow-heif', async (name) => {
    const { ours, theirs } = await compareWithPillow(name);
    expect(ours).toEqual(theirs);
  });

  // libde265 1.0.15 in libheif-js against 1.1.3 in pillow-heif.
  it.each(lossy)('decodes %s to within 2 levels of Pillow and pillow-heif', async (name) => {
    const { ours, theirs, mostLevels } = await compareWithPillow(name);
    expect([ours.width, ours.height]).toEqual([theirs.width, theirs.height]);
    expect(mostLevels).toBeLessThanOrEqual(2);
  });

  it.each([
    [
      'rgb.heic',
      { width: 71, height: 53, colour: 'rgb', bitDepth: 8, hasAlpha: false, hasIccProfile: false },
    ],
    ['gray-10-bit.heic', { colour: 'gray', bitDepth: 10, hasAlpha: false }],
    ['alpha.heic', { colour: 'rgb', bitDepth: 8, hasAlpha: true }],
    ['icc.heic', { hasIccProfile: true }],
    ['clean-aperture.heic', { width: 40, height: 30 }],
    // irot is applied by the decoder.
    ['irot-1.heic', { width: 54, height: 72, orientation: 1 }],
    ['orientation-6.heic', { width: 54, height: 72, orientation: 1 }],
  ])('reads the header of %s', async (name, expected) => {
    const header = await readHeader(optionalFixture(name), maxPixels);
    expect(header).toMatchObject({ format: 'heic', ...expected });
  });

  it('refuses a file that is cut off within its header', async () => {
    const part = optionalFixture('rgb.heic').subarray(0, 100);
    await expect(readHeader(part, maxPixels)).rejects.toMatchObject({
      reason: 'IMAGE_CORRUPT',
      metadata: { format: 'heic' },
    });
  });

  it.each([1, 100, 1000, 3000])('refuses a file whose last %i bytes are missing', async (missing) => {
    const whole = optionalFixture('rgb.heic');
    const { decode } = await decoderOf('heic');
    const header = await readHeader(whole, maxPixels);
    const part = whole.subarray(0, -missing);
    await expect((async () => decode(part, header))()).rejects.toMatchObject({ reason: 'IMAGE_CORRUPT' });
  });
});

describe(readHeicStructure, () => {
  it('finds nothing unusual in one picture', () => {
    expect(readHeicStructure(optionalFixture('rgb.heic'))).toBeUndefined();
  });

  it('counts the tiles of a grid', () => {
    expect(readHeicStructure(optionalFixture('grid.heic'))).toMatchObject({ parts: 'references', count: 4 });
  });

  it('counts the pictures in one item', () => {
    const file = optionalFixture('rgb.heic');
    const picture = file.subarray(file.lastIndexOf('mdat') + 4);
    // An item of length 0 extends to the end of the file.
    const endless = Buffer.concat([file, ...Array<Buffer>(30).fill(picture)]);
    const iloc = endless.indexOf('iloc');
    for (let at = iloc; at < iloc + 60; at++) {
      if (endless.readUInt32BE(at) === picture.length) endless.writeUInt32BE(0, at);
    }
    expect(readHeicStructure(endless)).toMatchObject({ parts: 'frames', count: 31 });
  });

  it('prices each layer of an overlay as a picture', () => {
    const file = Buffer.from(optionalFixture('grid.heic'));
    file.write('iovl', file.indexOf('grid'), 'latin1');
    expect(readHeicStructure(file)).toMatchObject({ parts: 'frames', count: 4 });
  });
});
