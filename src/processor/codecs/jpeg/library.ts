import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import process from 'node:process';
import { pathOf } from '../../../programs.ts';

/** A file with the TurboJPEG API of libjpeg-turbo, or the name by which the system's loader finds one. */
export interface TurboJpegLibrary {
  readonly name: string;
  /** `configured` is the value of TURBOJPEG_LIBRARY. */
  readonly origin: 'bundled' | 'system' | 'configured';
}

/**
 * The libraries to try, in order: only the configured one, or the bundled ones and then the system's.
 *
 * @param configured - TURBOJPEG_LIBRARY: a path, a name, or `none`
 */
export function turboJpegLibraries(configured: string | undefined): readonly TurboJpegLibrary[] {
  if (configured === 'none') return [];
  if (configured) return [{ name: configured, origin: 'configured' }];
  const { [process.platform]: system } = systemNames;
  return [
    ...bundledFolders().flatMap((folder) =>
      bundledFiles().map((file) => ({ name: `${folder}/${file}`, origin: 'bundled' as const })),
    ),
    ...(system === undefined ? [] : [{ name: system, origin: 'system' as const }]),
  ];
}

const systemNames: Readonly<Partial<Record<NodeJS.Platform, string>>> = {
  linux: 'libturbojpeg.so.0',
  darwin: 'libturbojpeg.0.dylib',
};

/** Where the bundled libraries are in the npm package and in the images, and where in a checkout. */
function bundledFolders(): string[] {
  const folders = [pathOf('build/turbojpeg')];
  try {
    const manifest = createRequire(import.meta.url).resolve('@julusian/jpeg-turbo/package.json');
    folders.push(manifest.replace(/package\.json$/, 'prebuilds'));
  } catch {
    // An optional dependency.
  }
  return folders;
}

/** The files for this platform. On Linux the one for glibc does not load where only musl is installed, and vice versa. */
function bundledFiles(): readonly string[] {
  const folder = `jpeg-turbo-${process.platform}-${process.arch}`;
  if (process.platform === 'linux')
    return [`${folder}/libturbojpeg.so.0`, `${folder}-musl/libturbojpeg.so.0`];
  // On macOS libjpeg-turbo is a part of the package's addon, which exports its functions.
  return process.platform === 'darwin' ? [`${folder}/node-napi-v10.node`] : [];
}

const versionText = 'libjpeg-turbo version ';

/**
 * The version of a library that is loaded, which no function of its API returns: from the text of its message "Using
 * libjpeg-turbo version 3.1.3".
 *
 * @returns undefined if the library's file cannot be found or contains no such text
 */
export function loadedVersion({ name }: TurboJpegLibrary): string | undefined {
  const path = name.includes('/') ? name : mappedFile(name);
  if (path === undefined) return undefined;
  const bytes = readFileSync(path);
  const at = bytes.indexOf(versionText, 0, 'latin1');
  if (at === -1) return undefined;
  const start = at + versionText.length;
  return /^\d+(?:\.\d+)*/.exec(bytes.toString('latin1', start, start + 20))?.[0];
}

/** The file that the system's loader found for a name: proc(5), /proc/pid/maps. */
function mappedFile(name: string): string | undefined {
  if (process.platform !== 'linux') return undefined;
  const lines = readFileSync('/proc/self/maps', 'latin1').split('\n');
  return lines.find((line) => line.includes(`/${name}`))?.replace(/^[^/]*/, '');
}
