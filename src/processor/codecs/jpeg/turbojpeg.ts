import { createRequire } from 'node:module';
import process from 'node:process';
import type { Pixels } from '../../image/pixels.ts';
import { takeScratch } from '../../workers/scratch.ts';
import { loadedVersion, type TurboJpegLibrary, turboJpegLibraries } from './library.ts';
import { mostScans } from './scans.ts';

/** The factors by which a JPEG can be reduced while it is decoded, at almost no cost: 1/1, 1/2, 1/4 and 1/8. */
export const shrinkFactors = [1, 2, 4, 8] as const;
export type ShrinkFactor = (typeof shrinkFactors)[number];

/**
 * Decoding in ways that other programs choose for their speed, with other bytes than the defaults'. Only comparisons use
 * it; `TurboJpeg.decode` has no such parameter.
 */
export interface DecodingShortcuts {
  /** JDCT_IFAST, which TensorFlow uses, instead of JDCT_ISLOW. */
  readonly fastDct: boolean;
  /** Chroma is repeated, not interpolated: `do_fancy_upsampling` is off. */
  readonly plainUpsampling: boolean;
}

export type Subsampling = '4:2:0' | '4:2:2' | '4:4:4';

/**
 * libjpeg-turbo through its TurboJPEG API: half the CPU time of the same work through libvips. The functions are those of
 * version 2 of the API, which libjpeg-turbo 2 and 3 have.
 */
export interface TurboJpeg {
  /** Version and origin of the loaded library, for `provenance.libraries`: `3.1.3+bundled`. */
  readonly version: string;
  /**
   * Decodes a JPEG of Y, Cb and Cr, or a gray one, as stored, not upright. With `shrink` 1 the bytes are those of
   * libjpeg-turbo's defaults (ISLOW DCT, fancy upsampling), which Pillow and sharp use too.
   *
   * @param channels - 1 decodes only the luma; 3 returns R, G, B
   * @param shrink - divides both sides, rounded up
   * @returns [⌈height / shrink⌉, ⌈width / shrink⌉, channels] uint8, in the scratch memory; undefined if the JPEG is of
   *   another kind or of another size than `size`, or if the library reports an error or a warning
   * @throws TooManyScans
   */
  decode(
    content: Uint8Array,
    size: { readonly width: number; readonly height: number },
    channels: 1 | 3,
    shrink: ShrinkFactor,
  ): Pixels | undefined;
  /** As `decode`, with shortcuts. */
  decodeBy(
    shortcuts: DecodingShortcuts,
    content: Uint8Array,
    size: { readonly width: number; readonly height: number },
    channels: 1 | 3,
    shrink: ShrinkFactor,
  ): Pixels | undefined;
  /**
   * Encodes pixels as a baseline JPEG with the standard's tables (annex K): the same bytes as sharp with
   * `optimiseCoding: false`.
   *
   * @param image - [height, width, 1 | 3] uint8, no side longer than 65,500 pixels
   * @param quality - 1…100
   * @param subsampling - of colour; unset: 4:2:0
   */
  encode(image: Pixels, quality: number, subsampling?: Subsampling): Buffer;
}

/** From turbojpeg.h. */
const pixelFormats = { 1: 6 /* TJPF_GRAY */, 3: 0 /* TJPF_RGB */ } as const;
const graySubsampling = 3;
const subsamplings: Readonly<Record<Subsampling, number>> = { '4:4:4': 0, '4:2:2': 1, '4:2:0': 2 };
const colourspaces = { ycbcr: 1, gray: 2 } as const;
const accurateDct = 4096;
const fastDctFlag = 2048;
const fastUpsampling = 256;
/** Stops in a JPEG of more than `mostScans` scans. */
const limitScans = 32_768;
const noRealloc = 1024;

/** In the message of an error; libjpeg-turbo has no code for it. */
const scanLimitText = `more than ${mostScans} scans`;

/** The library has found more scans than `mostScans`. */
export class TooManyScans extends Error {
  override readonly name = 'TooManyScans';
}

/** The JFIF segment after the two bytes of SOI, in bytes: marker, length, content. sharp does not write it. */
const jfifBytes = 18;

function load(): TurboJpeg | undefined {
  for (const library of turboJpegLibraries(process.env.TURBOJPEG_LIBRARY)) {
    try {
      return bind(library);
    } catch {
      // The next one may load.
    }
  }
  return undefined;
}

function bind(file: TurboJpegLibrary): TurboJpeg {
  // Not an import: koffi has no binary for every platform that Node has.
  const koffi = createRequire(import.meta.url)('koffi') as typeof import('koffi');
  const library = koffi.load(file.name);
  const initDecompress = library.func('void *tjInitDecompress()');
  const initCompress = library.func('void *tjInitCompress()');
  const decompressHeader = library.func(
    'int tjDecompressHeader3(void *handle, const uint8_t *jpeg, unsigned long size, _Out_ int *width, _Out_ int *height, _Out_ int *subsampling, _Out_ int *colourspace)',
  );
  const decompress = library.func(
    'int tjDecompress2(void *handle, const uint8_t *jpeg, unsigned long size, uint8_t *pixels, int width, int pitch, int height, int format, int flags)',
  );
  const bufferSize = library.func('unsigned long tjBufSize(int width, int height, int subsampling)');
  const compress = library.func(
    'int tjCompress2(void *handle, const uint8_t *pixels, int width, int pitch, int height, int format, _Inout_ void **jpeg, _Inout_ unsigned long *size, int subsampling, int quality, int flags)',
  );
  const lastError = library.func('const char *tjGetErrorStr2(void *handle)');
  const [decompressor, compressor] = [initDecompress(), initCompress()];
  if (decompressor === null || compressor === null) throw new Error('TurboJPEG could not be initialised');

  function decodeWith(flags: number, ...[content, size, channels, shrink]: Parameters<TurboJpeg['decode']>) {
    const [width, height, subsampling, colourspace] = [[0], [0], [0], [0]];
    if (
      decompressHeader(decompressor, content, content.length, width, height, subsampling, colourspace) !== 0
    )
      return undefined;
    if (width[0] !== size.width || height[0] !== size.height) return undefined;
    if (colourspace[0] !== colourspaces.ycbcr && colourspace[0] !== colourspaces.gray) return undefined;
    const shrunk = { width: Math.ceil(size.width / shrink), height: Math.ceil(size.height / shrink) };
    const data = takeScratch(shrunk.width * shrunk.height * channels);
    const format = pixelFormats[channels];
    const end = decompress(
      decompressor,
      content,
      content.length,
      data,
      shrunk.width,
      0,
      shrunk.height,
      format,
      flags | limitScans,
    );
    if (end !== 0 && String(lastError(decompressor)).includes(scanLimitText)) throw new TooManyScans();
    return end === 0 ? { data, ...shrunk, channels } : undefined;
  }

  return {
    version: `${loadedVersion(file) ?? 'unknown'}+${file.origin}`,

    decode: (content, size, channels, shrink) => decodeWith(accurateDct, content, size, channels, shrink),

    decodeBy({ fastDct, plainUpsampling }, content, size, channels, shrink) {
      const flags = (fastDct ? fastDctFlag : accurateDct) | (plainUpsampling ? fastUpsampling : 0);
      return decodeWith(flags, content, size, channels, shrink);
    },

    encode({ data, width, height, channels }, quality, colourSubsampling = '4:2:0') {
      if (channels !== 1 && channels !== 3) throw new RangeError(`${channels} channels in a JPEG`);
      const subsampling = channels === 1 ? graySubsampling : subsamplings[colourSubsampling];
      const room = Buffer.allocUnsafeSlow(Number(bufferSize(width, height, subsampling)));
      const [place, size] = [[room], [room.length]];
      const format = pixelFormats[channels];
      const flags = accurateDct | noRealloc;
      const end = compress(
        compressor,
        data,
        width,
        0,
        height,
        format,
        place,
        size,
        subsampling,
        quality,
        flags,
      );
      if (end !== 0) throw new Error(`TurboJPEG: ${String(lastError(compressor))}`);
      // The image's SOI moves to directly before the rest, over the JFIF segment.
      room.copyWithin(jfifBytes, 0, 2);
      return room.subarray(jfifBytes, Number(size[0]));
    },
  };
}

/** Undefined if no library can be loaded; sharp then decodes and encodes JPEGs. */
export const turboJpeg: TurboJpeg | undefined = load();

/** Why TURBOJPEG_LIBRARY cannot be used, as a line for the operator; undefined if it can, or is not set. */
export function turboJpegProblem(name = process.env.TURBOJPEG_LIBRARY): string | undefined {
  if (!name || name === 'none' || turboJpeg !== undefined) return undefined;
  return `TURBOJPEG_LIBRARY is "${name}"; allowed: a TurboJPEG library that can be loaded, such as libturbojpeg.so.0, or none`;
}
