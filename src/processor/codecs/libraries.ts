import { turboJpeg } from './jpeg/turbojpeg.ts';
import { sharp } from './libvips/sharp.ts';

const { aom, heif, mozjpeg, png, tiff, vips, webp } = sharp.versions as Record<string, string | undefined>;

/** The versions of the libraries that determine the bytes of a response: they decode and encode. */
export const libraries: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries({
    sharp: sharp.versions.sharp,
    vips,
    mozjpeg,
    turbojpeg: turboJpeg?.version,
    png,
    webp,
    aom,
    heif,
    tiff,
  }).filter((entry): entry is [string, string] => entry[1] !== undefined),
);
