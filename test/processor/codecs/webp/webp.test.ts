import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { decoderOf } from '../../../../src/processor/codecs/codecs.ts';
import { readHeader } from '../../../../src/processor/codecs/read-header.ts';
import { encoded, photoLike } from '../../../support/pictures.ts';

type Colour = readonly [red: number, green: number, blue: number, alpha: number];

const red: Colour = [255, 0, 0, 255];
const blue: Colour = [0, 0, 255, 255];

function chunk(type: string, ...body: readonly Buffer[]): Buffer {
  const length = body.reduce((sum, part) => sum + part.length, 0);
  const head = Buffer.alloc(8);
  head.write(type, 'latin1');
  head.writeUInt32LE(length, 4);
  return Buffer.concat([head, ...body, Buffer.alloc(length & 1)]);
}

function file(...chunks: readonly Buffer[]): Buffer {
  return chunk('RIFF', Buffer.from('WEBP'), ...chunks);
}

function uint24(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(3 * values.length);
  for (const [index, value] of values.entries()) bytes.writeUIntLE(value, 3 * index, 3);
  return bytes;
}

/** The VP8L chunk of a picture in one colour. */
async function lossless(width: number, height: number, [r, g, b, a]: Colour): Promise<Buffer> {
  const pixels = Buffer.alloc(width * height * 4, Buffer.from([r, g, b, a]));
  const webp = await sharp(pixels, { raw: { width, height, channels: 4 } })
    .webp({ lossless: true, exact: true })
    .toBuffer();
  const at = webp.indexOf('VP8L');
  return webp.subarray(at, at + 8 + webp.readUInt32LE(at + 4) + (webp.readUInt32LE(at + 4) & 1));
}

const flags = { animation: 2, exif: 8, alpha: 16 } as const;

/** RFC 9649, 2.7: flags, three reserved bytes, the canvas. */
function extended(some: number, width: number, height: number): Buffer {
  return chunk('VP8X', Buffer.of(some, 0, 0, 0), uint24(width - 1, height - 1));
}

interface Frame {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  readonly colour: Colour;
}

/** An animation; positions of frames are even numbers. */
async function animation(width: number, height: number, frames: readonly Frame[]): Promise<Buffer> {
  const all = frames.map(async ({ left, top, width, height, colour }) =>
    chunk(
      'ANMF',
      uint24(left / 2, top / 2, width - 1, height - 1, 100),
      Buffer.of(0),
      await lossless(width, height, colour),
    ),
  );
  const anim = chunk('ANIM', Buffer.alloc(6));
  return file(extended(flags.animation | flags.alpha, width, height), anim, ...(await Promise.all(all)));
}

async function decoded(content: Buffer) {
  const header = await readHeader(content, 1_000_000);
  const { decode } = await decoderOf('webp');
  const { data, channels } = await decode(content, header);
  const pixel = (x: number, y: number) => [
    ...data.subarray((y * header.width + x) * channels, (y * header.width + x + 1) * channels),
  ];
  return { header, pixel };
}

describe('WebP', () => {
  it('decodes the first frame of an animation', async () => {
    const whole = { left: 0, top: 0, width: 8, height: 6 };
    const content = await animation(8, 6, [
      { ...whole, colour: red },
      { ...whole, colour: blue },
    ]);
    const { header, pixel } = await decoded(content);
    expect(header).toMatchObject({ width: 8, height: 6, frames: 2, hasAlpha: true });
    expect([pixel(0, 0), pixel(7, 5)]).toEqual([red, red]);
  });

  it('leaves transparent what the first frame does not cover', async () => {
    const content = await animation(8, 6, [
      { left: 2, top: 2, width: 4, height: 2, colour: red },
      { left: 0, top: 0, width: 8, height: 6, colour: blue },
    ]);
    const { header, pixel } = await decoded(content);
    expect(header).toMatchObject({ width: 8, height: 6 });
    expect([pixel(0, 0), pixel(2, 2), pixel(5, 3), pixel(6, 3)]).toEqual([
      [0, 0, 0, 0],
      red,
      red,
      [0, 0, 0, 0],
    ]);
  });

  it('reads EXIF after the pixels of an extended file if its flag announces it', async () => {
    const pixels = await lossless(4, 2, red);
    const exif = Buffer.from('II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0', 'latin1');
    const announced = file(extended(flags.exif, 4, 2), pixels, chunk('EXIF', exif));
    expect((await decoded(announced)).header).toMatchObject({ width: 4, height: 2, orientation: 6 });
    const silent = file(extended(0, 4, 2), pixels, chunk('EXIF', exif));
    // Pillow ignores it too.
    expect((await decoded(silent)).header.orientation).toBe(1);
  });

  it.each([0.02, 0.5, 0.9, 0.999])('refuses the first %d of a file', async (part) => {
    for (const options of [{ lossless: true }, { quality: 80 }]) {
      const whole = Buffer.from(await encoded(photoLike(64, 48), 'webp', options));
      const cut = whole.subarray(0, Math.max(40, Math.floor(part * whole.length)));
      await expect(decoded(cut)).rejects.toMatchObject({ reason: 'IMAGE_CORRUPT' });
    }
  });

  it('refuses an extended file without pixels', async () => {
    await expect(decoded(file(extended(0, 4, 2)))).rejects.toMatchObject({ reason: 'IMAGE_CORRUPT' });
  });
});
