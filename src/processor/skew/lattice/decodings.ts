import { decodeWhole } from '../../codecs/decode.ts';
import type { ImageHeader } from '../../codecs/header.ts';
import { type DecodingShortcuts, type ShrinkFactor, turboJpeg } from '../../codecs/jpeg/turbojpeg.ts';
import { sharp } from '../../codecs/libvips/sharp.ts';
import type { Pixels } from '../../image/pixels.ts';
import { outOfScratch } from '../../workers/scratch.ts';
import type { Decoding, Words } from './hypothesis.ts';

/**
 * The ways to decode a file, that of the expected tensor first. Every way but the first needs TurboJPEG; without it they
 * do not apply.
 */
export function decodingsOf(header: ImageHeader): readonly Decoding[] {
  const icc: Words = header.hasIccProfile ? { icc: 'ignored' } : {};
  const isPlain = header.format !== 'jpeg' || header.colour === 'cmyk';
  const converted = header.hasIccProfile ? [convertedDecoding(isPlain ? {} : jpegWords(usual))] : [];
  if (isPlain) return [wholeDecoding(icc), ...converted];
  const others = [
    ...ways.filter((way) => isDistinct(way, header)),
    ...(header.colour === 'rgb' ? lumaWays : []),
  ];
  return [
    wholeDecoding({ ...jpegWords(usual), ...icc }),
    ...converted,
    ...others.map((way) => decodingBy({ ...way, words: { ...way.words, ...icc } })),
  ];
}

const usual = 'accurate DCT, interpolated chroma';

/** A way to call libjpeg-turbo. */
interface Way extends DecodingShortcuts {
  readonly id: string;
  readonly words: Words;
  readonly shrink: ShrinkFactor;
  /** Only the Y of Y, Cb and Cr. */
  readonly isLuma?: boolean;
}

const [accurate, fast] = [
  { fastDct: false, plainUpsampling: false },
  { fastDct: true, plainUpsampling: false },
] as const;

/**
 * TensorFlow's default is the fast DCT; programs that call TurboJPEG often set both flags. Pillow's `draft` and OpenCV's
 * `IMREAD_REDUCED_COLOR_2` give the same bytes as scaled decoding here, TensorFlow's `ratio=2` those of the fast DCT. From
 * 1/4 on both kinds of DCT are the same.
 */
const ways: readonly Way[] = [
  { id: 'fast', words: jpegWords('fast DCT, interpolated chroma'), ...fast, shrink: 1 },
  {
    id: 'plain',
    words: jpegWords('accurate DCT, repeated chroma'),
    fastDct: false,
    plainUpsampling: true,
    shrink: 1,
  },
  {
    id: 'fast plain',
    words: jpegWords('fast DCT, repeated chroma'),
    fastDct: true,
    plainUpsampling: true,
    shrink: 1,
  },
  ...([2, 4, 8] as const).map((shrink) => ({
    id: `1/${shrink}`,
    words: jpegWords(`scaled to 1/${shrink} by the decoder`),
    ...accurate,
    shrink,
  })),
  { id: 'fast 1/2', words: jpegWords('scaled to 1/2 by the decoder, fast DCT'), ...fast, shrink: 2 },
];

const luma = 'the luma that the JPEG contains';

/** OpenCV's `IMREAD_GRAYSCALE`, Pillow's `draft("L", …)`, torchvision's `ImageReadMode.GRAY`; TensorFlow's `channels=1`. */
const lumaWays: readonly Way[] = [
  { id: 'luma', words: { ...jpegWords(usual), grayscale: luma }, ...accurate, shrink: 1, isLuma: true },
  {
    id: 'fast luma',
    words: { ...jpegWords('fast DCT'), grayscale: luma },
    ...fast,
    shrink: 1,
    isLuma: true,
  },
];

/** Without subsampled chroma there is none to interpolate, and all of it is scaled as the luma is. */
function isDistinct(
  { plainUpsampling, fastDct, shrink }: Way,
  { colour, samplesPerPixel }: ImageHeader,
): boolean {
  const isSubsampled = colour === 'rgb' && samplesPerPixel < 3;
  return isSubsampled || (!plainUpsampling && !(fastDct && shrink > 1));
}

function jpegWords(words: string): Words {
  return { decoder: `libjpeg-turbo, ${words}` };
}

function decodingBy({ id, words, shrink, isLuma = false, ...shortcuts }: Way): Decoding {
  return {
    id,
    words,
    ...(isLuma && { resets: ['recolouring', 'finish'] }),
    decode({ content, header }) {
      const channels = isLuma || header.colour === 'gray' ? 1 : 3;
      return Promise.resolve(own(turboJpeg?.decodeBy(shortcuts, content, header, channels, shrink)));
    },
  };
}

function wholeDecoding(words: Words): Decoding {
  return {
    id: 'whole',
    words,
    async decode({ content, header }) {
      return own(await decodeWhole(content, header));
    },
  };
}

/** sharp's default: the profile is applied, with the arithmetic of libvips. Other programs' differ from it in the last bit. */
function convertedDecoding(words: Words): Decoding {
  return {
    id: 'icc',
    words: { ...words, icc: 'applied' },
    async decode({ content }) {
      const image = sharp(content, { limitInputPixels: false }).toColourspace('srgb').raw();
      const { data, info } = await image.toBuffer({ resolveWithObject: true });
      const { width, height, channels } = info;
      return channels === 2 ? undefined : { data, width, height, channels };
    },
  };
}

/** Pixels in memory of their own: the search keeps several versions of a source. */
function own(pixels: Pixels): Pixels;
function own(pixels: Pixels | undefined): Pixels | undefined;
function own(pixels: Pixels | undefined): Pixels | undefined {
  return pixels && { ...pixels, data: outOfScratch(pixels.data) };
}
