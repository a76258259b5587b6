import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { encoded, photoLike } from '../test/support/pictures.ts';

/*
 * The pictures of the bench: photo-like pictures made in code, or a folder of the user's own.
 */

export interface BenchPictures {
  readonly jpeg: readonly Uint8Array[];
  readonly png: readonly Uint8Array[];
}

/** 2725 × 2225 as a JPEG and 1920 × 1080 as a PNG, photo-like; or all JPEG and PNG files of a folder. */
export async function benchPictures(folder: string | undefined): Promise<BenchPictures> {
  if (folder === undefined) {
    return {
      jpeg: [
        await encoded(photoLike(2725, 2225, 1), 'jpeg', { quality: 75 }),
        await encoded(photoLike(2725, 2225, 2), 'jpeg', { quality: 75 }),
      ],
      png: [await encoded(photoLike(1920, 1080, 3), 'png')],
    };
  }
  const names = (await readdir(folder)).toSorted();
  const read = (ending: RegExp) =>
    Promise.all(names.filter((name) => ending.test(name)).map((name) => readFile(join(folder, name))));
  return { jpeg: await read(/\.jpe?g$/i), png: await read(/\.png$/i) };
}

/** The same picture lying on its side, with the EXIF orientation that turns it upright: as phones write it. */
export async function rotated(jpeg: Uint8Array): Promise<Uint8Array> {
  return await sharp(jpeg).rotate(-90).withMetadata({ orientation: 6 }).jpeg({ quality: 75 }).toBuffer();
}

/** 8 × 8 pixels, and bytes behind them as a photograph has them: all that there is to do but pixels. */
export async function hollow(bytes: number): Promise<Uint8Array> {
  const picture = await encoded(photoLike(8, 8), 'jpeg');
  const filling = new Uint8Array(bytes - picture.length).map((_, at) => (at * 2_654_435_761) >>> 24);
  return Buffer.concat([picture, filling]);
}
