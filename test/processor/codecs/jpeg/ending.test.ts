import { readFileSync } from 'node:fs';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { Failure } from '../../../../src/failures.ts';
import { hasBrokenEnding } from '../../../../src/processor/codecs/jpeg/ending.ts';
import { readHeader } from '../../../../src/processor/codecs/read-header.ts';
import type { Plan } from '../../../../src/processor/image/plan.ts';
import { encoded, gradient } from '../../../support/pictures.ts';
import { runStages } from '../../../support/stages.ts';

// The expected results are those of Pillow 13.0 for each of these files.

const baseline = Buffer.from(await encoded(gradient(64, 48), 'jpeg'));
const progressive = Buffer.from(await encoded(gradient(64, 48), 'jpeg', { progressive: true }));
const gray = await sharp(gradient(64, 48).pixels, { raw: { width: 64, height: 48, channels: 3 } })
  .toColourspace('b-w')
  .jpeg()
  .toBuffer();

const fixture = (name: string) => readFileSync(new URL(`../../../fixtures/${name}`, import.meta.url));
const end = Buffer.of(0xff, 0xd9);

/** Four bytes after a marker: a length of 4 and two bytes of body. */
const segment = (marker: number) => Buffer.of(0xff, marker, 0, 4, 0x61, 0x62);

/** Inserts bytes after the last pixel, before the end of the image. */
const withBehind = (jpeg: Uint8Array, ...parts: readonly Uint8Array[]) =>
  Buffer.concat([jpeg.subarray(0, -2), ...parts, end]);

/** Inserts bytes in the middle of the pixels. */
const withAmidst = (jpeg: Uint8Array, part: Uint8Array) =>
  Buffer.concat([jpeg.subarray(0, -40), part, jpeg.subarray(-40)]);

async function outcome(content: Uint8Array, numerics: Plan['numerics']): Promise<string> {
  const resize = { fit: 'fill', filter: 'bilinear', width: 8, height: 8 } as const;
  const header = await readHeader(content, Number.POSITIVE_INFINITY);
  const decoded = await runStages(content, header, { resize, numerics }).catch((error: unknown) => error);
  if (decoded instanceof Failure) return decoded.reason;
  if (decoded instanceof Error) throw decoded;
  return 'decoded';
}

const broken = [0x05, 0xbf, 0xc0, 0xc4, 0xc8, 0xcc, 0xd8, 0xda, 0xde, 0xdf, 0xf0];
const harmless = [0x01, 0xd0, 0xdb, 0xdc, 0xe1, 0xfe, 0xff];
const hex = (marker: number) => marker.toString(16);

describe(hasBrokenEnding, () => {
  it.each(broken.map((marker) => [hex(marker), marker] as const))(
    'refuses the marker %s behind the pixels, as Pillow does',
    async (_, marker) => {
      for (const jpeg of [baseline, gray]) {
        const file = withBehind(jpeg, segment(marker));
        expect(hasBrokenEnding(file)).toBe(true);
        expect(await outcome(file, 'pillow')).toBe('IMAGE_CORRUPT');
        expect(await outcome(file, 'fast')).toBe('IMAGE_CORRUPT');
      }
    },
  );

  it.each(harmless.map((marker) => [hex(marker), marker] as const))(
    'takes the marker %s behind the pixels, as Pillow does',
    async (_, marker) => {
      for (const jpeg of [baseline, gray]) {
        const file = withBehind(jpeg, segment(marker));
        expect(hasBrokenEnding(file)).toBe(false);
        expect(await outcome(file, 'pillow')).toBe('decoded');
        expect(await outcome(file, 'fast')).toBe('decoded');
      }
    },
  );

  it.each([0x05, 0xc0, 0xd8, 0xda, 0xf0].map((marker) => [hex(marker), marker] as const))(
    'refuses pixels in which a damaged byte looks like the marker %s',
    async (_, marker) => {
      const file = withAmidst(baseline, Buffer.of(0xff, marker));
      expect(await outcome(file, 'pillow')).toBe('IMAGE_CORRUPT');
    },
  );

  it('accepts pixels that end early with the end of the image: the rest is gray', async () => {
    const file = Buffer.concat([baseline.subarray(0, -40), end]);
    expect(hasBrokenEnding(file)).toBe(false);
    expect(await outcome(file, 'pillow')).toBe('decoded');
  });

  it('leaves a progressive JPEG to its decoder, which reads it to its end', async () => {
    const file = withBehind(progressive, segment(0xf0));
    expect(hasBrokenEnding(file)).toBe(false);
    expect(await outcome(file, 'pillow')).toBe('IMAGE_CORRUPT');
  });

  it.each(['flip2_jpg_gray.jpg', 'flip5_jpg_rst1.jpg'])('refuses %s', async (name) => {
    expect(await outcome(fixture(`cases/${name}`), 'pillow')).toBe('IMAGE_CORRUPT');
    expect(await outcome(fixture(`cases/${name}`), 'fast')).toBe('IMAGE_CORRUPT');
  });

  it('skips invalid markers before a restart, but not after the last one', async () => {
    const whole = fixture('decode/restarts.jpg');
    const scan = whole.indexOf(Buffer.of(0xff, 0xda)) + 14;
    const restart = whole.indexOf(Buffer.of(0xff, 0xd0), scan);
    const damagedAt = (at: number) => {
      const file = Buffer.from(whole);
      file.set([0xff, 0x05], at);
      return file;
    };
    expect(restart).toBeGreaterThan(scan + 4);
    expect(hasBrokenEnding(damagedAt(restart - 4))).toBe(false);
    expect(hasBrokenEnding(damagedAt(whole.length - 6))).toBe(true);
  });

  it('does not read beyond the block of 64 KiB that Pillow has read', () => {
    const zeros = Buffer.alloc(70_000);
    expect(
      hasBrokenEnding(withBehind(baseline, Buffer.of(0xff, 0xe1, 0xff, 0xff), zeros, segment(0xf0))),
    ).toBe(false);
    expect(hasBrokenEnding(withBehind(baseline, segment(0xf0), zeros))).toBe(true);
  });

  it.each<[what: string, table: Uint8Array, isBroken: boolean]>([
    [
      'a Huffman table',
      Buffer.concat([Buffer.of(0xff, 0xc4, 0, 20, 0, 1), Buffer.alloc(15), Buffer.of(7)]),
      false,
    ],
    [
      'a Huffman table of 257 codes',
      Buffer.concat([Buffer.of(0xff, 0xc4, 0, 20, 0, 255, 2), Buffer.alloc(15)]),
      true,
    ],
    [
      'Huffman table 4',
      Buffer.concat([Buffer.of(0xff, 0xc4, 0, 20, 4, 1), Buffer.alloc(15), Buffer.of(7)]),
      true,
    ],
    ['a quantization table', Buffer.concat([Buffer.of(0xff, 0xdb, 0, 67, 0), Buffer.alloc(64, 1)]), false],
    ['quantization table 4', Buffer.concat([Buffer.of(0xff, 0xdb, 0, 67, 4), Buffer.alloc(64, 1)]), true],
    [
      'a quantization table that is too long',
      Buffer.concat([Buffer.of(0xff, 0xdb, 0, 66, 0), Buffer.alloc(64, 1)]),
      true,
    ],
    ['a restart interval', Buffer.of(0xff, 0xdd, 0, 4, 0, 0), false],
    ['a restart interval of three bytes', Buffer.of(0xff, 0xdd, 0, 5, 0, 0, 0), true],
    ['conditions of arithmetic coding', Buffer.of(0xff, 0xcc, 0, 4, 0, 0x10), false],
    ['conditions whose lower bound is above the upper', Buffer.of(0xff, 0xcc, 0, 4, 0, 0x01), true],
  ])('checks %s after the pixels', (_, table, isBroken) => {
    expect(hasBrokenEnding(withBehind(baseline, table))).toBe(isBroken);
  });

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['a beginning', baseline.subarray(0, 2)],
    ['no scan', baseline.subarray(0, 100)],
    ['no end', baseline.subarray(0, -2)],
  ])('accepts a file with %s', (_, file) => {
    expect(hasBrokenEnding(file)).toBe(false);
  });
});
