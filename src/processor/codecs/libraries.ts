import process from 'node:process';
import { codecOf, decoderOf } from './codecs.ts';
import { turboJpeg } from './jpeg/turbojpeg.ts';
import { sharp } from './libvips/sharp.ts';
import { pngEncoderVersion } from './png/encode.ts';
import type { SourceFormat } from './source-format.ts';

const { aom, heif, mozjpeg, png, tiff, vips, webp } = sharp.versions as Record<string, string | undefined>;

/**
 * Loads the decoders that are optional packages.
 *
 * @param formats - the formats that are enabled
 * @returns the versions of the libraries that determine the bytes of a response: they decode and encode
 * @throws MissingPackage
 */
export async function loadLibraries(formats: readonly SourceFormat[]): Promise<Record<string, string>> {
  const optional = await Promise.all(formats.map(loadOptional));
  const always = {
    sharp: sharp.versions.sharp,
    vips,
    mozjpeg,
    turbojpeg: turboJpeg?.version,
    png,
    zlib: process.versions.zlib,
    'png-encoder': pngEncoderVersion,
    webp,
    aom,
    heif,
    tiff,
  };
  return Object.fromEntries(
    [...Object.entries(always), ...optional.flatMap((libraries) => Object.entries(libraries))].filter(
      (entry): entry is [string, string] => entry[1] !== undefined,
    ),
  );
}

/** The package of a listed format is not installed or cannot be loaded. */
export class MissingPackage extends Error {
  override readonly name = 'MissingPackage';
}

async function loadOptional(format: SourceFormat): Promise<Readonly<Record<string, string>>> {
  const { peer, libraries = {} } = codecOf(format);
  if (peer === undefined) return libraries;
  const decoder = await decoderOf(format).catch((cause: unknown) => {
    const install = `npm install --no-save --save-prod ${peer.package}@${peer.version}`;
    throw new MissingPackage(
      `SOURCE_FORMATS contains "${format}"; allowed: ${format} with the package ${peer.package}, which cannot be loaded, so run "${install}" first`,
      { cause },
    );
  });
  return decoder.libraries ?? {};
}
