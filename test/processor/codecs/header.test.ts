import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Failure } from '../../../src/failures.ts';
import { headerPart, readHeader } from '../../../src/processor/codecs/read-header.ts';
import { encoded, gradient, noise, solid } from '../../support/pictures.ts';
import { pngChunk, pngSignature } from '../../support/png.ts';

const fixture = (name: string) =>
  new Uint8Array(readFileSync(new URL(`../../fixtures/decode/${name}`, import.meta.url)));

const header = (name: string) => readHeader(fixture(name), 1_000_000);

async function refusal(content: Uint8Array, maxPixels = 1_000_000): Promise<Failure> {
  const failure = await readHeader(content, maxPixels).catch((error: unknown) => error);
  if (failure instanceof Failure) return failure;
  throw failure;
}

/** A PNG of a hundred bytes that claims a size. */
function pngThatClaims(width: number, height: number): Uint8Array {
  const size = Buffer.alloc(13);
  size.writeUInt32BE(width, 0);
  size.writeUInt32BE(height, 4);
  size.set([8, 2, 0, 0, 0], 8);
  return Buffer.concat([
    pngSignature,
    pngChunk('IHDR', size),
    pngChunk('IDAT', Buffer.from('789c030000000001', 'hex')),
    pngChunk('IEND'),
  ]);
}

/** A JPEG whose frame header claims a size. */
async function jpegThatClaims(width: number, height: number): Promise<Uint8Array> {
  const jpeg = Buffer.from(await encoded(solid(16, 16, [1, 2, 3]), 'jpeg', { progressive: true }));
  const frame = jpeg.indexOf(Buffer.of(0xff, 0xc2));
  jpeg.writeUInt16BE(height, frame + 5);
  jpeg.writeUInt16BE(width, frame + 7);
  return jpeg;
}

describe(readHeader, () => {
  it('reads the header of an image', async () => {
    expect(await header('orientation-6.jpg')).toEqual({
      format: 'jpeg',
      width: 23,
      height: 17,
      orientation: 6,
      colour: 'rgb',
      bitDepth: 8,
      hasAlpha: false,
      hasIccProfile: false,
      frames: 1,
      isProgressive: false,
      samplesPerPixel: 1.5,
    });
  });

  it.each<[name: string, expected: Partial<Awaited<ReturnType<typeof readHeader>>>]>([
    ['gray.png', { format: 'png', colour: 'gray', bitDepth: 8 }],
    ['gray-1-bit.png', { colour: 'gray', bitDepth: 8 }],
    ['gray-16-bit.png', { colour: 'gray', bitDepth: 16 }],
    ['gray-alpha.png', { colour: 'gray', hasAlpha: true }],
    ['gray-colour-key.png', { colour: 'gray', hasAlpha: true }],
    ['palette.png', { colour: 'rgb', hasAlpha: false }],
    ['palette-transparency.png', { colour: 'rgb', hasAlpha: true }],
    ['rgba-16-bit.png', { colour: 'rgb', bitDepth: 16, hasAlpha: true }],
    ['icc.png', { hasIccProfile: true }],
    ['orientation-6.png', { orientation: 6 }],
    ['cmyk-adobe.jpg', { format: 'jpeg', colour: 'cmyk' }],
    ['ycck.jpg', { colour: 'cmyk' }],
    ['gray.jpg', { colour: 'gray' }],
    ['animated.webp', { format: 'webp', frames: 2, width: 23, height: 17 }],
    ['lossy-alpha.webp', { hasAlpha: true }],
    ['two-frames-transparency.gif', { format: 'gif', frames: 2, hasAlpha: true, height: 17 }],
    ['pages.tiff', { format: 'tiff', frames: 2, height: 17 }],
    ['orientation-7.tiff', { orientation: 7 }],
    ['444.avif', { format: 'avif', colour: 'rgb', width: 23, height: 17 }],
    ['orientation-3.avif', { orientation: 3, samplesPerPixel: 1.5 }],
    ['animated.avif', { frames: 2, hasAlpha: true, width: 23, height: 17 }],
    ['gray-limited-10-bit.avif', { colour: 'gray', bitDepth: 10, samplesPerPixel: 1 }],
    ['422-12-bit-alpha.avif', { bitDepth: 12, hasAlpha: true, samplesPerPixel: 2 }],
    ['clean-aperture.avif', { width: 23, height: 17 }],
    ['grid.avif', { width: 128, height: 128 }],
  ])('reads %s', async (name, expected) => {
    expect(await header(name)).toMatchObject(expected);
  });

  it.each<[what: string, format: 'jpeg' | 'png', progressive: boolean, samples: number]>([
    ['a JPEG', 'jpeg', false, 1.5],
    ['a progressive JPEG', 'jpeg', true, 1.5],
    ['a PNG', 'png', false, 3],
    ['an interlaced PNG', 'png', true, 3],
  ])('reports for %s how much of it a decoder holds', async (_, format, progressive, samples) => {
    const picture = await encoded(gradient(23, 17), format, { progressive });
    expect(await readHeader(picture, 391)).toMatchObject({
      isProgressive: progressive,
      samplesPerPixel: samples,
    });
  });

  it.each<[sampling: number, samples: number]>([
    [0x11, 4],
    [0x21, 2.5],
    [0x22, 1.75],
  ])('counts the values of a CMYK JPEG whose first factors are %i', async (sampling, samples) => {
    const jpeg = Buffer.from(fixture('cmyk-plain.jpg'));
    const frame = jpeg.indexOf(Buffer.of(0xff, 0xc0));
    jpeg.writeUInt8(sampling, frame + 11);
    expect(await readHeader(jpeg, 391)).toMatchObject({ colour: 'cmyk', samplesPerPixel: samples });
  });

  it('refuses bytes that are no image before a decoder runs', async () => {
    expect(await refusal(Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'))).toMatchObject({
      reason: 'FORMAT_UNSUPPORTED',
    });
    expect(await refusal(Buffer.from('a text file, named photo.jpg'))).toMatchObject({
      reason: 'FORMAT_UNSUPPORTED',
    });
  });

  it('refuses a PNG that claims 60000 × 60000', async () => {
    const failure = await refusal(pngThatClaims(60_000, 60_000), 100_000_000);
    expect(failure).toMatchObject({
      reason: 'SOURCE_PIXELS_OVER_LIMIT',
      metadata: { limit: '100000000', actual: '3600000000', width: '60000', height: '60000' },
    });
  });

  it('refuses a progressive JPEG of 12000 × 12000', async () => {
    const failure = await refusal(await jpegThatClaims(12_000, 12_000), 100_000_000);
    expect(failure).toMatchObject({ reason: 'SOURCE_PIXELS_OVER_LIMIT', metadata: { actual: '144000000' } });
  });

  it('accepts as many pixels as the limit and not one more', async () => {
    const picture = await encoded(gradient(23, 17), 'png');
    expect(await readHeader(picture, 391)).toMatchObject({ width: 23, height: 17 });
    expect(await refusal(picture, 390)).toMatchObject({ metadata: { limit: '390', actual: '391' } });
  });

  it('refuses a side of more than 2²⁴ pixels, however few the other one has', async () => {
    expect(await readHeader(pngThatClaims(16_777_216, 1), 100_000_000)).toMatchObject({ width: 16_777_216 });
    expect(await refusal(pngThatClaims(16_777_217, 1), 100_000_000)).toMatchObject({
      reason: 'SOURCE_PIXELS_OVER_LIMIT',
      metadata: { limit: '16777216', actual: '16777217' },
    });
  });

  it.each([
    ['gray-float.tiff', 'Its samples are floating-point numbers'],
    ['cmyk-16-bit.tiff', 'Its samples have 16 bits in CMYK'],
    ['cmyk-alpha.tiff', 'It has 5 samples a pixel in CMYK'],
    ['rgb-2-extra.tiff', 'It has 5 samples a pixel in RGB'],
  ])('refuses %s, with unsupported pixels', async (name, words) => {
    const { reason, message } = await refusal(fixture(name));
    expect(reason).toBe('FORMAT_UNSUPPORTED');
    expect(message).toContain(words);
  });

  it.each(['rgb.png', '420.jpg', 'lossy.webp', '444.avif', 'plain.gif', 'strips.tiff'])(
    'refuses %s when its header is cut off, in our own words',
    async (name) => {
      const failure = await refusal(fixture(name).subarray(0, 16));
      expect(failure.reason).toBe('IMAGE_CORRUPT');
      expect(failure.message).toMatch(/^The header of this (PNG|JPEG|WEBP|AVIF|GIF|TIFF) cannot be read\.$/);
      expect(failure.cause).toBeInstanceOf(Error);
    },
  );

  it('refuses an image of 0 pixels', async () => {
    expect(await refusal(pngThatClaims(0, 5))).toMatchObject({ reason: 'IMAGE_CORRUPT' });
  });
});

describe(headerPart, () => {
  const names = readdirSync(new URL('../../fixtures/decode/', import.meta.url)).filter((name) =>
    /\.(png|jpe?g|webp|avif|gif|tiff)$/.test(name),
  );
  const outcome = (content: Uint8Array) =>
    readHeader(content, 1_000_000).catch(({ reason, message }: Failure) => ({ reason, message }));

  it.each(names)('gives the same header as the whole file: %s', async (name) => {
    expect(await outcome(headerPart(fixture(name)))).toEqual(await outcome(fixture(name)));
  });

  it.each(['jpeg', 'png'] as const)('is a small part of a %s', async (format) => {
    const content = await encoded(noise(300, 200), format);
    const part = headerPart(content);
    expect(content.length).toBeGreaterThan(30_000);
    expect(part.length).toBeLessThan(2000);
    expect(await readHeader(part, 60_000)).toEqual(await readHeader(content, 60_000));
  });

  it('includes profiles and EXIF of any length', async () => {
    const jpeg = await encoded(noise(300, 200), 'jpeg');
    const comment = Buffer.concat([Buffer.of(0xff, 0xfe, 0xff, 0xff), Buffer.alloc(65_533, 'x')]);
    const long = Buffer.concat([jpeg.subarray(0, 2), comment, comment, jpeg.subarray(2)]);
    expect(headerPart(long).length).toBe(headerPart(jpeg).length + 2 * comment.length);
  });

  it.each(['webp', 'gif', 'tiff', 'avif'] as const)('is the whole file of a %s', async (format) => {
    const content = await encoded(solid(16, 16, [1, 2, 3]), format);
    expect(headerPart(content)).toBe(content);
  });

  it.each([
    ['a JPEG', [0xff, 0xd8, 0xff, 0xe0, 0xff]],
    ['a JPEG whose segments overlap', [0xff, 0xd8, 0xff, 0xe0, 0, 0, 0xff, 0xe0, 0, 0]],
    ['a PNG', [...Buffer.from('\x89PNG\r\n\x1a\n\xff\xff\xff\xffIHDR', 'latin1')]],
  ])('is all of %s that are no complete file', (_, bytes) => {
    expect(headerPart(Uint8Array.from(bytes))).toEqual(Uint8Array.from(bytes));
  });
});
