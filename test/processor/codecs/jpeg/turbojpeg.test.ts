import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import process from 'node:process';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { turboJpegLibraries } from '../../../../src/processor/codecs/jpeg/library.ts';
import { mostScans } from '../../../../src/processor/codecs/jpeg/scans.ts';
import { TooManyScans, turboJpeg } from '../../../../src/processor/codecs/jpeg/turbojpeg.ts';
import { readHeader } from '../../../../src/processor/codecs/read-header.ts';
import type { Pixels } from '../../../../src/processor/image/pixels.ts';
import { crowdedJpeg } from '../../../support/crowded-files.ts';
import { encoded, gradient, noise, photoLike } from '../../../support/pictures.ts';

const folder = new URL('../../../fixtures/decode/', import.meta.url);
const jpegs = readdirSync(folder).filter((name) => name.endsWith('.jpg'));
const fixture = (name: string) => new Uint8Array(readFileSync(new URL(name, folder)));

/** The fixtures that TurboJPEG leaves to sharp: CMYK, YCCK and RGB. */
const others = ['cmyk-adobe.jpg', 'cmyk-orientation-8.jpg', 'cmyk-plain.jpg', 'rgb-adobe.jpg', 'ycck.jpg'];

async function bySharp(content: Uint8Array, channels: number): Promise<Buffer> {
  const image = sharp(content, { ignoreIcc: true });
  return await (channels === 1 ? image.toColourspace('b-w') : image).raw().toBuffer();
}

/** The bundled library of this platform; there is none for musl on ARM. */
const bundled = turboJpegLibraries(undefined).find(
  ({ name, origin }) => origin === 'bundled' && existsSync(name),
);

const hasSystemLibrary = ['x86_64', 'aarch64'].some((architecture) =>
  existsSync(`/usr/lib/${architecture}-linux-gnu/libturbojpeg.so.0`),
);

// Without libturbojpeg there is nothing to test: sharp then decodes all JPEGs.
describe.skipIf(turboJpeg === undefined)('turboJpeg', () => {
  const turbo = turboJpeg as NonNullable<typeof turboJpeg>;

  it.each(jpegs)('decodes %s to sharp’s bytes, or leaves it to sharp', async (name) => {
    const content = fixture(name);
    const header = await readHeader(content, 1e8);
    const channels = header.colour === 'gray' ? 1 : 3;
    const pixels = turbo.decode(content, header, channels, 1);
    expect(pixels === undefined).toBe(others.includes(name));
    if (pixels === undefined) return;
    expect(pixels).toMatchObject({ width: header.width, height: header.height, channels });
    expect(Buffer.from(pixels.data).equals(await bySharp(content, channels))).toBe(true);
  });

  it('decodes to a half, a quarter and an eighth, with sides rounded up', async () => {
    const content = await encoded(gradient(101, 50), 'jpeg');
    const size = { width: 101, height: 50 };
    for (const [shrink, width, height] of [
      [2, 51, 25],
      [4, 26, 13],
      [8, 13, 7],
    ] as const) {
      expect(turbo.decode(content, size, 3, shrink)).toMatchObject({ width, height, channels: 3 });
    }
  });

  it('decodes only the luma, within a level of that of the colours', async () => {
    const content = await encoded(gradient(64, 64), 'jpeg', { quality: 95 });
    const size = { width: 64, height: 64 };
    const luma = Uint8Array.from(turbo.decode(content, size, 1, 1)?.data ?? []);
    const rgb = turbo.decode(content, size, 3, 1)?.data ?? [];
    const differences = Array.from(luma, (value, at) => {
      const [red = 0, green = 0, blue = 0] = rgb.slice(at * 3, at * 3 + 3);
      return Math.abs(value - (0.299 * red + 0.587 * green + 0.114 * blue));
    });
    expect(luma).toHaveLength(64 * 64);
    expect(Math.max(...differences)).toBeLessThan(2);
  });

  it('leaves files that are cut off, damaged or of another size than their header states to sharp', async () => {
    const content = await encoded(photoLike(64, 48), 'jpeg');
    const size = { width: 64, height: 48 };
    expect(turbo.decode(content, size, 3, 1)).toBeDefined();
    expect(turbo.decode(content.subarray(0, content.length - 20), size, 3, 1)).toBeUndefined();
    expect(turbo.decode(content.subarray(0, 100), size, 3, 1)).toBeUndefined();
    expect(turbo.decode(content, { width: 48, height: 64 }, 3, 1)).toBeUndefined();
    expect(turbo.decode(new Uint8Array(0), size, 3, 1)).toBeUndefined();
  });

  it('stops in a JPEG of more scans than its structure’s reader permits', () => {
    const size = { width: 64, height: 64 };
    expect(turbo.decode(crowdedJpeg(64, 64, mostScans), size, 1, 1)).toBeDefined();
    expect(() => turbo.decode(crowdedJpeg(64, 64, mostScans + 1), size, 1, 1)).toThrow(TooManyScans);
  });

  it.each([1, 3] as const)('encodes %i channels to the bytes that sharp writes', async (channels) => {
    for (const [width, height, quality] of [
      [64, 48, 90],
      [17, 9, 1],
      [1, 1, 100],
      [333, 77, 50],
    ] as const) {
      const { pixels: rgb } = noise(width, height);
      const data = channels === 3 ? rgb : rgb.filter((_, at) => at % 3 === 0);
      const image: Pixels = { data, width, height, channels };
      const raw = sharp(data, { raw: image });
      const expected = await (channels === 1 ? raw.toColourspace('b-w') : raw)
        .jpeg({ quality, optimiseCoding: false })
        .toBuffer();
      expect(turbo.encode(image, quality).equals(expected)).toBe(true);
    }
  });
});

describe('TURBOJPEG_LIBRARY', () => {
  const program = new URL('../../../../src/processor/codecs/jpeg/turbojpeg.ts', import.meta.url).href;
  const versionWith = (library: string | undefined) =>
    execFileSync(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        `const { turboJpeg } = await import('${program}'); console.log(turboJpeg?.version)`,
      ],
      { env: { ...process.env, TURBOJPEG_LIBRARY: library }, encoding: 'utf8' },
    ).trim();

  it.each(['none', 'libnothing.so.9'])('%s leaves JPEGs to sharp', (library) => {
    expect(versionWith(library)).toBe('undefined');
  });

  it.skipIf(bundled === undefined)('takes the bundled library if it is unset or empty', () => {
    expect(versionWith(undefined)).toBe('3.1.3+bundled');
    expect(versionWith('')).toBe('3.1.3+bundled');
  });

  it.skipIf(bundled === undefined)('takes a path', () => {
    expect(versionWith(bundled?.name)).toBe('3.1.3+configured');
  });

  it.skipIf(!hasSystemLibrary)('takes a name that the loader of the system finds', () => {
    expect(versionWith('libturbojpeg.so.0')).toMatch(/^\d+\.\d+\.\d+\+configured$/);
  });
});

describe(turboJpegLibraries, () => {
  it('prefers the bundled libraries to that of the system', () => {
    const origins = turboJpegLibraries(undefined).map(({ origin }) => origin);
    expect(origins).toEqual(origins.toSorted((a, b) => a.localeCompare(b)));
    expect(origins).toContain('bundled');
    expect(origins.at(-1)).toBe('system');
  });
});
