import { describe, expect, it } from 'vitest';
import { Failure } from '../../../src/failures.ts';
import { sourceFormats } from '../../../src/processor/codecs/codecs.ts';
import { detectFormat } from '../../../src/processor/codecs/format.ts';
import type { SourceFormat } from '../../../src/processor/codecs/source-format.ts';

const bytes = (text: string) => Buffer.from(text, 'latin1');

/** The first box of an ISO base media file: its length, "ftyp", the major brand, its version and compatible brands. */
const ftyp = (...brands: readonly string[]) => {
  const [major = '', ...compatible] = brands;
  const content = bytes(`ftyp${major}\0\0\0\0${compatible.join('')}`);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(content.length + 4);
  return Buffer.concat([length, content]);
};

function refusal(content: Uint8Array, read?: readonly SourceFormat[]): Failure {
  try {
    detectFormat(content, read);
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe(detectFormat, () => {
  it.each([
    ['jpeg', bytes('\xff\xd8\xff\xe0\0\x10JFIF')],
    ['jpeg', bytes('\xff\xd8\xff\xdb')],
    ['png', bytes('\x89PNG\r\n\x1a\n')],
    ['webp', bytes('RIFF\x24\0\0\0WEBPVP8 ')],
    ['gif', bytes('GIF87a')],
    ['gif', bytes('GIF89a')],
    ['tiff', bytes('II*\0')],
    ['tiff', bytes('MM\0*')],
    ['tiff', bytes('II+\0\x08\0\0\0')],
    ['tiff', bytes('MM\0+\0\x08\0\0')],
    ['bmp', bytes('BM\x36\0\0\0')],
    ['pdf', bytes('%PDF-1.7')],
    ['pdf', bytes(`${'x'.repeat(1019)}%PDF-`)],
    ['avif', ftyp('avif', 'avif', 'mif1', 'miaf')],
    ['avif', ftyp('avis', 'avif')],
    ['avif', ftyp('mif1', 'miaf', 'avif')],
  ])('detects %s by its first bytes', (format, content) => {
    expect(detectFormat(content)).toBe(format);
  });

  it('detects the format of bytes in the middle of a larger buffer', () => {
    const message = bytes('....GIF89a....');
    expect(detectFormat(message.subarray(4, 10))).toBe('gif');
  });

  it.each([
    ['SVG', bytes('<svg xmlns="http://www.w3.org/2000/svg"/>')],
    ['SVG', bytes('<?xml version="1.0"?>\n<svg>')],
    ['SVG', bytes('\xef\xbb\xbf  <svg>')],
    ['HTML', bytes('<!DOCTYPE html><html>')],
    ['HTML', bytes('\n<html>')],
    ['XML or HTML', bytes('<?xml version="1.0"?>')],
    ['JSON', bytes('{"url": "https://example.com/a.jpg"}')],
    ['an HEIF or MP4 file without an AVIF image', ftyp('mif1', 'mif1', 'miaf')],
    ['an HEIF or MP4 file without an AVIF image', ftyp('isom', 'mp42')],
    ['plain text', bytes(`${'x'.repeat(1020)}%PDF-`)],
    ['plain text', bytes('BMW is a car, and not a bitmap')],
    ['plain text', bytes('this is a text file with the name photo.jpg\n')],
    ['none of them', bytes('\0\x01\x02\x03')],
    ['none of them', bytes('\x1f\x8b\x08\0')],
  ])('refuses bytes that begin like %s', (guess, content) => {
    const { reason, message, metadata } = refusal(content);
    expect({ reason, message, metadata }).toEqual({
      reason: 'FORMAT_UNSUPPORTED',
      message: `The bytes begin like ${guess}; JPEG, PNG, WebP, AVIF, GIF, TIFF, BMP and PDF are supported.`,
      metadata: { supported: 'jpeg, png, webp, avif, gif, tiff, bmp, pdf' },
    });
  });

  it.each([
    ['JPEG 2000', bytes('\0\0\0\x0cjP  \r\n\x87\n')],
    ['JPEG 2000', bytes('\xff\x4f\xff\x51\0')],
    ['JPEG XR', bytes('II\xbc\x01')],
    ['a Canon raw image (CR2)', bytes('II*\0\x10\0\0\0CR\x02\0')],
    ['a Canon raw image (CR3)', ftyp('crx ', 'crx ', 'isom')],
    ['a camera’s raw image', bytes('IIRO\x08\0\0\0')],
    ['a Photoshop document (PSD)', bytes('8BPS\0\x01')],
    ['an icon (ICO)', bytes('\0\0\x01\0\x01\0')],
    ['a cursor (CUR)', bytes('\0\0\x02\0\x01\0')],
    ['an icon (ICNS)', bytes('icns\0\0')],
    ['QOI', bytes('qoif\0\0')],
    ['a DirectDraw surface (DDS)', bytes('DDS |\0')],
    ['a Netpbm image (PBM, PGM, PPM)', bytes('P5 4 4 255\n')],
    ['PostScript (EPS)', bytes('%!PS-Adobe-3.0 EPSF-3.0')],
    ['DICOM', bytes(`${'\0'.repeat(128)}DICM`)],
  ])('refuses %s by its name, with advice', (name, content) => {
    expect(refusal(content).message).toBe(
      `The bytes begin like ${name}; JPEG, PNG, WebP, AVIF, GIF, TIFF, BMP and PDF are supported. Convert it to JPEG or PNG first.`,
    );
  });

  it.each(['heic', 'heix', 'hevc', 'heim', 'heis'])('refuses HEIC by its brand %s', (brand) => {
    expect(refusal(ftyp('mif1', brand))).toMatchObject({
      message:
        'The image is HEIC; JPEG, PNG, WebP, AVIF, GIF, TIFF, BMP and PDF are supported. Convert it first, or have heic added to SOURCE_FORMATS, which needs the package libheif-js. An iPhone sends JPEG by itself where it is set to “Most Compatible”.',
      metadata: { format: 'heic' },
    });
  });

  it.each(['\xff\x0a\xfa\x1f', '\0\0\0\x0cJXL \r\n\x87\n'])(
    'refuses JPEG XL that begins with %j',
    (start) => {
      expect(refusal(bytes(start)).message).toBe(
        'The image is JPEG XL; JPEG, PNG, WebP, AVIF, GIF, TIFF, BMP and PDF are supported. Convert it first, or have jxl added to SOURCE_FORMATS, which needs the package jxl-oxide-wasm.',
      );
    },
  );

  it('accepts the optional formats if they are enabled', () => {
    expect(detectFormat(ftyp('mif1', 'heic'), sourceFormats)).toBe('heic');
    expect(detectFormat(bytes('\xff\x0a\xfa\x1f'), sourceFormats)).toBe('jxl');
  });

  it('refuses a format that is not enabled, and names the variable', () => {
    expect(refusal(bytes('GIF89a'), ['jpeg', 'png'])).toMatchObject({
      reason: 'FORMAT_UNSUPPORTED',
      message:
        'The image is GIF; JPEG and PNG are supported. Convert it first, or have gif added to SOURCE_FORMATS.',
      metadata: { format: 'gif', supported: 'jpeg, png' },
    });
    expect(refusal(bytes('GIF89a'), ['jpeg']).message).toContain('JPEG is supported');
    expect(detectFormat(bytes('GIF89a'), ['jpeg', 'gif'])).toBe('gif');
  });

  it('finds the brand of an AVIF behind many others', () => {
    expect(detectFormat(ftyp('mif1', ...Array<string>(30).fill('miaf'), 'avif'))).toBe('avif');
  });

  it('does not read the minor version of a HEIF file as a brand', () => {
    const content = ftyp('heic', 'heic');
    content.write('avif', 12, 'latin1');
    expect(refusal(content).reason).toBe('FORMAT_UNSUPPORTED');
  });

  it('does not read bytes after the box as a brand', () => {
    expect(refusal(Buffer.concat([ftyp('heic', 'heic'), bytes('avif')])).reason).toBe('FORMAT_UNSUPPORTED');
  });

  it.each([
    bytes(''),
    bytes('\xff'),
    bytes('\xff\xd8'),
    bytes('\x89PNG'),
    bytes('RIFF'),
    bytes('RIFF\x24\0\0\0WAVE'),
    bytes('\0\0\0\x20ftyp'),
    bytes('II'),
  ])('refuses %j, which is too short', (content) => {
    expect(refusal(content).reason).toBe('FORMAT_UNSUPPORTED');
  });
});
