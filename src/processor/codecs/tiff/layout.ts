import { Failure } from '../../../failures.ts';
import {
  numbersOf,
  readTiffDirectory,
  readTiffHeader,
  type TiffDirectory,
  type TiffHeader,
} from './directory.ts';

/*
 * The layout of the pixels in a TIFF, read before any decoder runs: libvips decodes some layouts wrongly without an
 * error. A file is refused here if its kind is not supported. Tags and values are numbered as in TIFF 6.0 and its
 * supplements.
 */

/** The layout in a TIFF's first directory. */
export interface TiffLayout {
  readonly isTiled: boolean;
  /** Whether there is an extra sample that is not alpha. It is dropped, as in Pillow. */
  readonly hasUnspecifiedSample: boolean;
}

const tags = {
  bitsPerSample: 258,
  compression: 259,
  photometric: 262,
  samplesPerPixel: 277,
  planarConfiguration: 284,
  tileOffsets: 324,
  extraSamples: 338,
  sampleFormat: 339,
} as const;

/** Limit of samples per pixel; libvips and Pillow accept fewer. */
const mostSamples = 64;

const compressions: Readonly<Record<number, string>> = {
  1: 'none',
  2: 'CCITT RLE',
  3: 'CCITT Group 3',
  4: 'CCITT Group 4',
  5: 'LZW',
  6: 'old-style JPEG',
  7: 'JPEG',
  8: 'deflate',
  9: 'JBIG',
  10: 'JBIG',
  32766: 'NeXT RLE',
  32771: 'CCITT RLE in words',
  32773: 'PackBits',
  32809: 'ThunderScan',
  32946: 'deflate',
  33003: 'JPEG 2000',
  33004: 'JPEG 2000',
  33005: 'JPEG 2000',
  33007: 'JPEG',
  34661: 'JBIG',
  34676: 'SGI LogL',
  34677: 'SGI LogLuv',
  34712: 'JPEG 2000',
  34887: 'LERC',
  34892: 'lossy JPEG',
  34925: 'LZMA',
  34933: 'PNG',
  34934: 'JPEG XR',
  50000: 'Zstandard',
  50001: 'WebP',
  50002: 'JPEG XL',
  52546: 'JPEG XL',
};
const compressionsRead: readonly number[] = [1, 2, 3, 4, 5, 7, 8, 32773, 32946];
const jpeg = 7;

const photometrics: Readonly<Record<number, string>> = {
  0: 'gray, 0 is white',
  1: 'gray, 0 is black',
  2: 'RGB',
  3: 'a palette',
  4: 'a mask',
  5: 'CMYK',
  6: 'YCbCr',
  8: 'CIE L*a*b*',
  9: 'ICC L*a*b*',
  10: 'ITU L*a*b*',
  32803: 'a colour filter array',
  32844: 'LogL',
  32845: 'LogLuv',
  34892: 'linear raw',
};

/** Colours of an interpretation: the number of samples, and the numbers of bits that are allowed. */
const read: Readonly<Record<number, { readonly samples: number; readonly bits: readonly number[] }>> = {
  0: { samples: 1, bits: [1, 2, 4, 8, 16] },
  1: { samples: 1, bits: [1, 2, 4, 8, 16] },
  2: { samples: 3, bits: [8, 16] },
  3: { samples: 1, bits: [1, 2, 4, 8] },
  5: { samples: 4, bits: [8] },
  6: { samples: 3, bits: [8] },
};

const sampleFormats: Readonly<Record<number, string>> = {
  2: 'signed integers',
  3: 'floating-point numbers',
  4: 'of an undefined kind',
  5: 'complex integers',
  6: 'complex numbers',
};

const separatePlanes = 2;

/**
 * Reads and checks the layout of a TIFF's first image.
 *
 * @returns undefined if no directory is complete: libvips then reports the error
 * @throws FORMAT_UNSUPPORTED, naming the compression, the photometric interpretation, the samples or the planes
 */
export function readTiffLayout(content: Uint8Array): TiffLayout | undefined {
  const file = Buffer.from(content.buffer, content.byteOffset, content.length);
  const header = readTiffHeader(file);
  if (header === undefined) return undefined;
  const directory = readTiffDirectory(file, header, header.first);
  if (directory.entries.size === 0 || directory.next === undefined) return undefined;
  const facts = factsOf(file, header, directory);
  checkCompression(facts);
  checkPhotometric(facts);
  checkSamples(facts);
  checkPlanes(facts);
  const { samples } = read[facts.photometric] as (typeof read)[number];
  const hasExtra = facts.samples === samples + 1;
  return {
    isTiled: facts.isTiled,
    // Without the tag, the extra sample is alpha, as in Pillow and libvips.
    hasUnspecifiedSample: hasExtra && facts.extraSamples[0] === 0,
  };
}

interface Facts {
  readonly compression: number;
  readonly photometric: number;
  readonly samples: number;
  readonly bits: readonly number[];
  readonly sampleFormats: readonly number[];
  readonly extraSamples: readonly number[];
  readonly isPlanar: boolean;
  readonly isTiled: boolean;
}

function factsOf(file: Buffer, header: TiffHeader, { entries }: TiffDirectory): Facts {
  const numbers = (tag: number, otherwise: readonly number[]): readonly number[] => {
    const entry = entries.get(tag);
    return entry === undefined ? otherwise : numbersOf(file, header, entry, mostSamples);
  };
  const number = (tag: number, otherwise: number): number => numbers(tag, [])[0] ?? otherwise;
  const samples = number(tags.samplesPerPixel, 1);
  return {
    compression: number(tags.compression, 1),
    photometric: number(tags.photometric, Number.NaN),
    samples,
    // Some files state the bits of more samples than they have.
    bits: numbers(tags.bitsPerSample, [1]).slice(0, samples),
    sampleFormats: numbers(tags.sampleFormat, [1]),
    extraSamples: numbers(tags.extraSamples, []),
    isPlanar: samples > 1 && number(tags.planarConfiguration, 1) === separatePlanes,
    isTiled: entries.has(tags.tileOffsets),
  };
}

function checkCompression({ compression }: Facts): void {
  if (compressionsRead.includes(compression)) return;
  const name = compressions[compression] ?? `the unknown compression ${compression}`;
  refuse(
    `Its pixels are compressed by ${name}; none, LZW, deflate, PackBits, CCITT and JPEG are supported.`,
    { compression: name },
  );
}

function checkPhotometric({ photometric, compression }: Facts): void {
  const name = photometrics[photometric] ?? String(photometric);
  if (Number.isNaN(photometric)) refuse('It has no photometric interpretation.', { photometric: 'missing' });
  if (!(photometric in read)) {
    refuse(
      `Its photometric interpretation is ${name}; gray, RGB, palettes, CMYK and YCbCr in JPEG are supported.`,
      { photometric: name },
    );
  }
  if (photometric === 6 && compression !== jpeg) {
    refuse(
      `Its photometric interpretation is YCbCr with the compression ${compressions[compression]}; YCbCr is read only in JPEG.`,
      { photometric: name, compression: compressions[compression] as string },
    );
  }
}

function checkSamples({ photometric, samples, bits, sampleFormats: formats }: Facts): void {
  const colours = read[photometric] as (typeof read)[number];
  const format = formats.find((each) => each !== 1);
  if (format !== undefined) {
    const name = sampleFormats[format] ?? `of the unknown format ${format}`;
    refuse(`Its samples are ${name}; unsigned integers are supported.`, { sample_format: name });
  }
  const depth = bits[0] ?? 0;
  if (bits.some((each) => each !== depth) || !colours.bits.includes(depth)) {
    refuse(
      `Its samples have ${[...new Set(bits)].join(' and ')} bits in ${photometrics[photometric]}; ${colours.bits.join(', ')} are supported.`,
      { bits_per_sample: bits.join(',') },
    );
  }
  const isExtraRead = photometric !== 5 && samples === colours.samples + 1;
  if (samples !== colours.samples && !isExtraRead) {
    refuse(
      `It has ${samples} samples a pixel in ${photometrics[photometric]}; ${colours.samples}${photometric === 5 ? ' are' : `, or ${colours.samples + 1} with alpha, are`} supported.`,
      { samples_per_pixel: String(samples) },
    );
  }
}

function checkPlanes({ isPlanar, isTiled, photometric, samples, compression }: Facts): void {
  if (!isPlanar) return;
  const isGray = photometric < 2 || photometric === 3;
  if (!isTiled && !isGray && compression !== jpeg) return;
  refuse(
    `Its ${samples} samples a pixel are in separate planes${isTiled ? ' of tiles' : ''}; planes are read in strips of RGB and CMYK.`,
    { planar_configuration: 'separate' },
  );
}

function refuse(what: string, metadata: Readonly<Record<string, string>>): never {
  throw new Failure(
    'FORMAT_UNSUPPORTED',
    `The TIFF is of an unsupported kind. ${what} Convert it first, for example to PNG.`,
    { format: 'tiff', ...metadata },
  );
}
