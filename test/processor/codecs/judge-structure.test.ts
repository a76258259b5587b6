import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Failure } from '../../../src/failures.ts';
import { readSourceStructure } from '../../../src/processor/codecs/judge-structure.ts';
import { readHeader } from '../../../src/processor/codecs/read-header.ts';
import { decodingMs, plainDecodingMs, priceOf } from '../../../src/processor/image/price.ts';
import { startWorkerPool, type WorkerPool } from '../../../src/processor/workers/pool.ts';
import {
  crowdedAvif,
  crowdedGif,
  crowdedJpeg,
  crowdedTiff,
  crowdedWebp,
  jpegTiledTiff,
  stripedTiff,
} from '../../support/crowded-files.ts';
import { runOnePlan } from '../../support/one-plan.ts';
import { encoded, photoLike, solid } from '../../support/pictures.ts';
import { planFrom, plannedImage } from '../../support/plans.ts';
import { pngChunk, pngSignature } from '../../support/png.ts';

let pool: WorkerPool;
beforeAll(async () => {
  pool = await startWorkerPool(1);
});
afterAll(() => pool.close());

const thumbnail = planFrom({
  resize: { fit: 'fill', width: 8, height: 8, filter: 'bilinear' },
  output: { kind: 'image', format: 'png', quality: undefined },
});

const megapixels = 100_000_000;
const headerOf = (content: Uint8Array) => pool.readHeader(content, megapixels);
const failureOf = (content: Uint8Array): Promise<unknown> =>
  headerOf(content).then(
    () => 'taken',
    (error) => error,
  );
const priceMs = async (content: Uint8Array) => {
  const header = await headerOf(content);
  return priceOf(header, content.length, [plannedImage(header, thumbnail)]).workMs;
};

/** An IHDR of one gray pixel, then these chunks, then the pixel. */
const onePixelPng = (...chunks: Buffer[]) =>
  Buffer.concat([
    pngSignature,
    pngChunk('IHDR', Buffer.from([0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0])),
    ...chunks,
    pngChunk('IDAT', Buffer.from('789c63600000000200 01'.replaceAll(' ', ''), 'hex')),
    pngChunk('IEND'),
  ]);

describe(readSourceStructure, () => {
  it.each<[what: string, file: () => Buffer | Promise<Buffer>, parts: string, count: number]>([
    ['a JPEG of 20,001 scans', () => crowdedJpeg(1440, 1456, 20_001), 'scans', 20_001],
    ['a JPEG of 501 scans', () => crowdedJpeg(8, 8, 501), 'scans', 501],
    ['a JPEG of 60 refinements', () => crowdedJpeg(1440, 1456, 60, 'refinement'), 'scans', 60],
    [
      'a TIFF whose tiles have 300 scans each',
      () => jpegTiledTiff(1440, 1456, crowdedJpeg(256, 256, 300)),
      'scans',
      10_800,
    ],
    ['a TIFF of 1000 pages', () => crowdedTiff(1000), 'directories', 1000],
    ['a TIFF of 100,000 pages', () => crowdedTiff(100_000), 'directories', 65_536],
    ['a TIFF of 100,000 strips', () => stripedTiff(100_000), 'strips', 100_000],
    ['a WebP of 30,000 frames', () => crowdedWebp(30_000), 'frames', 30_000],
    ['an AVIF of 50 frames', () => crowdedAvif(512, 512, 50), 'frames', 50],
  ])('refuses %s before a decoder runs', async (_, file, parts, count) => {
    const failure = await failureOf(await file());
    expect(failure).toBeInstanceOf(Failure);
    expect(failure).toMatchObject({
      reason: 'SOURCE_PASSES_OVER_LIMIT',
      metadata: { parts, count: String(count) },
    });
    expect(Number((failure as Failure).metadata.actual)).toBeGreaterThan(
      Number((failure as Failure).metadata.limit),
    );
  });

  it.each<[what: string, file: () => Buffer | Promise<Uint8Array>]>([
    ['a progressive JPEG', () => encoded(photoLike(640, 480), 'jpeg', { progressive: true })],
    ['a JPEG of 60 scans', () => crowdedJpeg(1440, 1456, 60)],
    ['a TIFF of progressive tiles', () => jpegTiledTiff(1440, 1456, crowdedJpeg(256, 256, 10))],
    ['a TIFF of 200 pages', () => crowdedTiff(200)],
    ['a TIFF of 2000 strips', () => stripedTiff(2000)],
    // The decoder stops after the first frame.
    ['a GIF of 100,000 frames', () => crowdedGif(100_000)],
    ['a WebP of 500 frames', () => crowdedWebp(500)],
    ['an AVIF of two frames', () => crowdedAvif(512, 512, 2)],
  ])('accepts %s', async (_, file) => {
    const content = await file();
    const header = await headerOf(content);
    const { width } = await runOnePlan(pool, {
      content,
      header,
      images: [plannedImage(header, thumbnail)],
    });
    expect(width).toBe(8);
    expect(decodingMs(header) + (header.structureMs ?? 0)).toBeLessThanOrEqual(4 * plainDecodingMs(header));
  });

  it('prices a JPEG by its scans', async () => {
    const [few, many] = [
      await priceMs(crowdedJpeg(1440, 1456, 2)),
      await priceMs(crowdedJpeg(1440, 1456, 60)),
    ];
    expect(many - few).toBeGreaterThan(10);
  });

  it.each<[what: string, file: Buffer]>([
    ['a comment that holds scans', Buffer.from([0xff, 0xfe, 0, 10, 0xff, 0xda, 0, 3, 1, 0xff, 0xd9, 0])],
    ['a comment that holds the end of the image', Buffer.from([0xff, 0xfe, 0, 4, 0xff, 0xd9])],
    ['fill bytes', Buffer.from([0xff, 0xff, 0xff])],
    ['a restart marker without a restart interval', Buffer.from([0xff, 0xd0])],
  ])('counts scans before and after %s', (_, between) => {
    const file = crowdedJpeg(64, 64, 40);
    const second = file.indexOf(Buffer.from([0xff, 0xda]), file.indexOf(Buffer.from([0xff, 0xda])) + 2);
    const hidden = Buffer.concat([file.subarray(0, second), between, file.subarray(second)]);
    expect(readSourceStructure(hidden, 'jpeg')?.count).toBe(40);
  });

  it('counts the scans of a JPEG that is cut off, and none after its end', () => {
    const file = crowdedJpeg(64, 64, 40);
    expect(readSourceStructure(file.subarray(0, -3), 'jpeg')?.count).toBe(40);
    expect(readSourceStructure(Buffer.concat([file, file]), 'jpeg')?.count).toBe(40);
  });

  it.each<[what: string, format: 'jpeg' | 'avif', start: string, part: string]>([
    ['segments', 'jpeg', 'ffd8', 'fffe0002'],
    ['boxes', 'avif', '000000186674797061766966000000006176696661766966', '0000000866726565'],
  ])('limits the number of %s that it reads', (parts, format, start, part) => {
    const file = Buffer.concat([
      Buffer.from(start, 'hex'),
      Buffer.alloc(1_000_000, Buffer.from(part, 'hex')),
    ]);
    expect(readSourceStructure(file, format)).toMatchObject({ parts, headerTime: Number.POSITIVE_INFINITY });
  });

  it('refuses tiles that overlap, each of which would have to be read', () => {
    const tile = crowdedJpeg(256, 256, 300);
    const file = jpegTiledTiff(25_600, 256, tile);
    // Each tile begins a byte later than the one before.
    const first = file.indexOf(Buffer.from([8, 0, 0, 0, 8, 0, 0, 0]));
    for (let index = 0; index < 100; index++) file.writeUInt32LE(8 + index, first + 4 * index);
    expect(readSourceStructure(file, 'tiff')?.fixedTime).toBeGreaterThan(1e12);
  });

  it('ends a cycle of directories as libtiff does', () => {
    const file = crowdedTiff(1);
    file.writeUInt32LE(file.readUInt32LE(4), file.length - 4);
    expect(readSourceStructure(file, 'tiff')).toBeUndefined();
  });

  it('prices the metadata of a PNG but never refuses it', async () => {
    const words = Buffer.from(`Comment\0${'hello '.repeat(5_000_000)}`);
    const [plain, wordy] = [onePixelPng(), onePixelPng(pngChunk('tEXt', words))];
    expect(await headerOf(wordy)).toMatchObject({ width: 1, height: 1 });
    expect(await priceMs(wordy)).toBeGreaterThan((await priceMs(plain)) + 100);
    expect(await readHeader(wordy, 1)).toMatchObject({ width: 1 });
  });

  it('accepts a PNG with a text of 30 MB without a keyword', async () => {
    const wordy = onePixelPng(pngChunk('tEXt', Buffer.from('hello '.repeat(5_000_000))));
    expect(await headerOf(wordy)).toMatchObject({ width: 1, height: 1 });
  });

  it('finds nothing to count in plain files', async () => {
    const picture = solid(32, 32, [1, 2, 3]);
    for (const format of ['jpeg', 'png', 'webp', 'gif', 'tiff', 'avif'] as const) {
      expect(readSourceStructure(await encoded(picture, format), format)).toBeUndefined();
    }
  });
});
