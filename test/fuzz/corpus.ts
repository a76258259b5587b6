import { readdirSync, readFileSync } from 'node:fs';
import sharp from 'sharp';
import { encoded, gradient, noise, photoLike } from '../support/pictures.ts';

const fixtures = new URL('../fixtures/', import.meta.url);
const imageFile = /\.(jpe?g|png|webp|avif|gif|tiff?|bmp|heic|jxl|pdf)$/;

/** Every picture of test/fixtures, and such as are not among them: larger, and with what makes decoders work. */
export async function imageCorpus(): Promise<readonly Buffer[]> {
  const files = readdirSync(fixtures, { recursive: true, encoding: 'utf8' }).filter((name) =>
    imageFile.test(name),
  );
  const stored = files.toSorted().map((name) => readFileSync(new URL(name, fixtures)));
  return [...stored, ...(await madePictures())];
}

async function madePictures(): Promise<Buffer[]> {
  const { pixels, width, height, channels } = photoLike(160, 120);
  const photo = () => sharp(pixels, { raw: { width, height, channels } });
  const deep = () => photo().toColourspace('rgb16');
  const frames = { raw: { width: 16, height: 48, channels: 3, pageHeight: 16 } } as const;
  const made = await Promise.all([
    photo().jpeg({ progressive: true, chromaSubsampling: '4:4:4' }).toBuffer(),
    photo()
      .jpeg({ progressive: true, quality: 20 })
      .withExifMerge({ IFD0: { Orientation: '6' } })
      .toBuffer(),
    photo().jpeg({ optimiseCoding: false }).withIccProfile('p3').toBuffer(),
    photo().grayscale().jpeg({ progressive: true }).toBuffer(),
    photo().toColourspace('cmyk').jpeg().toBuffer(),
    photo().png({ progressive: true }).withIccProfile('p3').toBuffer(),
    photo().png({ palette: true, colours: 16 }).toBuffer(),
    photo().ensureAlpha(0.5).png({ adaptiveFiltering: true }).toBuffer(),
    deep().png({ progressive: true }).toBuffer(),
    photo().ensureAlpha(0.5).webp({ quality: 50, alphaQuality: 30 }).toBuffer(),
    photo().webp({ lossless: true }).toBuffer(),
    photo().avif({ quality: 40, effort: 0 }).toBuffer(),
    photo()
      .tiff({ tile: true, tileWidth: 32, tileHeight: 32, compression: 'lzw', predictor: 'horizontal' })
      .toBuffer(),
    photo().tiff({ compression: 'jpeg', pyramid: true, tile: true }).toBuffer(),
    photo().tiff({ compression: 'deflate', bigtiff: true }).toBuffer(),
    sharp(noise(16, 48).pixels, frames)
      .gif({ delay: [10, 10, 10] })
      .toBuffer(),
    sharp(noise(16, 48).pixels, frames)
      .webp({ delay: [10, 10, 10] })
      .toBuffer(),
    encoded(noise(97, 3), 'png').then((bytes) => Buffer.from(bytes)),
    encoded(gradient(1, 500), 'jpeg').then((bytes) => Buffer.from(bytes)),
  ]);
  return made;
}
