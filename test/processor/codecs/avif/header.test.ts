import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Failure } from '../../../../src/failures.ts';
import { orientationOf } from '../../../../src/processor/codecs/avif/container.ts';
import { readAvif, readAvifHeader } from '../../../../src/processor/codecs/avif/header.ts';

const fixture = (name: string) => readFileSync(new URL(`../../../fixtures/decode/${name}`, import.meta.url));

/** A fixture in which one text, or number, is replaced by another of the same length. */
function changed(name: string, from: string | Buffer, to: string | Buffer): Buffer {
  const file = Buffer.from(fixture(name));
  const at = file.indexOf(from, 0, 'latin1');
  expect(at, `${name} contains ${from}`).toBeGreaterThan(0);
  file.set(Buffer.from(to as string, 'latin1'), at);
  return file;
}

/** A fixture whose first `nclx` states another matrix. */
function withMatrix(name: string, matrix: number): Buffer {
  const file = Buffer.from(fixture(name));
  file.writeUInt16BE(matrix, file.indexOf('nclx') + 8);
  return file;
}

function refusal(content: Uint8Array): Failure {
  try {
    readAvifHeader(content);
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe(readAvif, () => {
  it('reads the storage of a picture from its container and its sequence header', () => {
    const { picture, colour, alpha } = readAvif(fixture('420-10-bit-alpha.avif'));
    expect(picture).toMatchObject({
      orientation: 1,
      frames: 1,
      isPremultiplied: false,
      hasIccProfile: false,
    });
    expect(picture.coding).toEqual({ primaries: 1, matrix: 6, isFullRange: false });
    expect(colour).toMatchObject({
      width: 23,
      height: 17,
      depth: 10,
      isMonochrome: false,
      shiftX: 1,
      shiftY: 1,
    });
    expect(alpha).toMatchObject({ depth: 10, isMonochrome: true });
  });

  it('takes the colours’ coding from the AV1 image if the container does not state it', () => {
    const { picture, colour } = readAvif(fixture('without-nclx.avif'));
    expect(picture.coding).toBeUndefined();
    expect(colour.colour).toEqual({ primaries: 1, matrix: 6, isFullRange: false });
  });

  it('detects colours that are multiplied by alpha', () => {
    expect(readAvif(fixture('premultiplied.avif')).picture.isPremultiplied).toBe(true);
    expect(readAvif(fixture('444-alpha.avif')).picture.isPremultiplied).toBe(false);
  });

  it('reads the tiles of a grid row by row', () => {
    const { colour } = readAvif(fixture('grid.avif')).picture;
    expect(colour).toMatchObject({ width: 128, height: 128, columns: 2 });
    expect(colour.tiles.map(({ width, height }) => [width, height])).toEqual(Array(4).fill([64, 64]));
  });

  it('reads the first frame of a sequence, or the primary item if avif is the major brand', () => {
    expect(readAvif(fixture('animated.avif')).picture.frames).toBe(2);
    expect(readAvif(changed('animated.avif', 'ftypavis', 'ftypavif')).picture.frames).toBe(1);
  });
});

describe(orientationOf, () => {
  // Pillow's irot_imir_to_exif_orientation.
  it.each([
    [0, undefined, 1],
    [1, undefined, 8],
    [2, undefined, 3],
    [3, undefined, 6],
    [0, 0, 4],
    [0, 1, 2],
    [1, 0, 5],
    [1, 1, 7],
    [2, 0, 2],
    [2, 1, 4],
    [3, 0, 7],
    [3, 1, 5],
  ])('converts %d quarter turns and the mirror axis %s to EXIF’s %d', (rotation, axis, expected) => {
    expect(orientationOf(rotation, axis)).toBe(expected);
  });
});

describe(readAvifHeader, () => {
  it('refuses an unsupported essential property by name', () => {
    // The first property of av1C's kind is essential in each file of libavif.
    const { reason, message } = refusal(changed('420.avif', 'av01', 'hvc1'));
    expect({ reason, message }).toMatchObject({ reason: 'FORMAT_UNSUPPORTED' });
    expect(message).toContain('"hvc1"');
    expect(refusal(changed('clean-aperture.avif', 'clap', 'what')).message).toContain('"what"');
  });

  it.each([3, 10, 11, 13, 14, 16, 18, 255])('refuses matrix %d by its number', (matrix) => {
    const { reason, metadata } = refusal(withMatrix('420.avif', matrix));
    expect({ reason, matrix: metadata.matrix }).toEqual({
      reason: 'FORMAT_UNSUPPORTED',
      matrix: `${matrix}`,
    });
  });

  it('refuses GBR with subsampled chroma, and YCgCo of limited range', () => {
    expect(refusal(withMatrix('420.avif', 0)).metadata.matrix).toBe('0');
    expect(refusal(withMatrix('444-limited.avif', 8)).metadata.matrix).toBe('8');
    expect(readAvifHeader(withMatrix('444.avif', 8))).toMatchObject({ colour: 'rgb' });
  });

  // Otherwise a size that no limit has checked would reach a decoder.
  it('refuses a file whose AV1 image and container state different sizes', () => {
    const file = Buffer.from(fixture('420.avif'));
    file.writeUInt32BE(22, file.indexOf('ispe') + 8);
    expect(refusal(file)).toMatchObject({
      reason: 'FORMAT_UNSUPPORTED',
      metadata: { width: '22', height: '17', actual_width: '23', actual_height: '17' },
    });
  });

  it.each([
    [
      'a grid that its tiles do not cover',
      changed('grid.avif', Buffer.of(0, 0, 1, 1, 0, 128), Buffer.of(0, 0, 1, 1, 1, 128)),
    ],
    ['no primary item', changed('420.avif', 'pitm', 'free')],
    ['no places of the items', changed('420.avif', 'iloc', 'free')],
    [
      'no sequence header',
      changed(
        '420.avif',
        Buffer.from('mdat\x12\x00\x0a', 'latin1'),
        Buffer.from('mdat\x12\x00\x12', 'latin1'),
      ),
    ],
  ])('reports a file as damaged if it has %s', (_, file) => {
    expect(refusal(file)).toMatchObject({
      reason: 'IMAGE_CORRUPT',
      message: 'The header of this AVIF cannot be read.',
    });
  });

  it('reads or refuses a file with changed bytes, and never fails otherwise', () => {
    for (const name of ['animated.avif', 'grid.avif', 'premultiplied.avif']) {
      const whole = fixture(name);
      for (let at = 4; at < Math.min(whole.length, 1200); at++) {
        for (const value of [0, 1, 0x80, 0xff]) {
          const file = Buffer.from(whole);
          file[at] = value;
          try {
            readAvifHeader(file);
          } catch (error) {
            expect(error, `${name}, byte ${at}`).toBeInstanceOf(Failure);
          }
        }
      }
    }
  });
});
