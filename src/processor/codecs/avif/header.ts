import { Failure } from '../../../failures.ts';
import type { ImageHeader } from '../header.ts';
import { exifOrientation, type Orientation, upright, xmpOrientation } from '../orientation.ts';
import { readPicture } from './container.ts';
import { conversionOf } from './conversion.ts';
import type { AvifPicture, CodedImage, Layer } from './picture.ts';
import { readSequenceHeader, type SequenceHeader } from './sequence-header.ts';

/** An AVIF's picture and how its samples are stored. */
export interface ReadAvif {
  readonly picture: AvifPicture;
  readonly colour: SequenceHeader;
  readonly alpha: SequenceHeader | undefined;
}

/**
 * Reads everything that decoding an AVIF needs, except the samples.
 *
 * @throws IMAGE_CORRUPT, FORMAT_UNSUPPORTED
 */
export function readAvif(content: Uint8Array): ReadAvif {
  try {
    const picture = readPicture(content);
    const colour = sequenceOf(picture.colour);
    const alpha = picture.alpha && sequenceOf(picture.alpha);
    checkAlpha(picture, colour, alpha);
    return { picture, colour, alpha };
  } catch (cause) {
    if (cause instanceof Failure) throw cause;
    throw new Failure(
      'IMAGE_CORRUPT',
      'The header of this AVIF cannot be read.',
      { format: 'avif' },
      { cause },
    );
  }
}

/** @throws IMAGE_CORRUPT, FORMAT_UNSUPPORTED; the size is not checked */
export function readAvifHeader(content: Uint8Array): ImageHeader {
  const { picture, colour } = readAvif(content);
  conversionOf(colour, picture.coding ?? colour.colour);
  return {
    format: 'avif',
    width: picture.colour.width,
    height: picture.colour.height,
    ...readOrientation(picture),
    colour: colour.isMonochrome ? 'gray' : 'rgb',
    bitDepth: colour.depth,
    hasAlpha: picture.alpha !== undefined,
    hasIccProfile: picture.hasIccProfile,
    frames: picture.frames,
    isProgressive: false,
    samplesPerPixel: colour.isMonochrome ? 1 : 1 + 2 / ((1 + colour.shiftX) * (1 + colour.shiftY)),
  };
}

/** As in Pillow: `irot` and `imir` win over XMP. EXIF's tag turns nothing, but XMP is ignored if the tag is present. */
function readOrientation({ orientation, exif, xmp }: AvifPicture): Orientation {
  if (orientation !== 1) return { orientation };
  // The offset of the TIFF header precedes the header.
  const byExif = exifOrientation(exif?.subarray(4));
  if (byExif === undefined) return xmpOrientation(xmp);
  return byExif.exifIsUnreadable ? byExif : upright;
}

/** Reads the headers of all tiles, so that no unchecked size or kind of samples reaches a decoder. */
function sequenceOf({ tiles }: Layer): SequenceHeader {
  const [first, ...others] = tiles.map(checkedSequence);
  if (first === undefined || others.some((other) => !isAlike(first, other))) {
    throw new Failure(
      'FORMAT_UNSUPPORTED',
      'The tiles of this AVIF differ in their bit depth or chroma subsampling; they must be the same.',
    );
  }
  return first;
}

function checkedSequence({ data, width, height }: CodedImage): SequenceHeader {
  const sequence = readSequenceHeader(data);
  if (sequence.width === width && sequence.height === height) return sequence;
  throw new Failure(
    'FORMAT_UNSUPPORTED',
    `An image of this AVIF has ${sequence.width} × ${sequence.height} pixels, but its container states ${width} × ${height}; the two must be the same.`,
    { width, height, actual_width: sequence.width, actual_height: sequence.height },
  );
}

function isAlike(a: SequenceHeader, b: SequenceHeader): boolean {
  return (
    a.depth === b.depth && a.isMonochrome === b.isMonochrome && a.shiftX === b.shiftX && a.shiftY === b.shiftY
  );
}

function checkAlpha(picture: AvifPicture, colour: SequenceHeader, alpha: SequenceHeader | undefined): void {
  if (alpha === undefined || picture.alpha === undefined) return;
  const { width, height } = picture.alpha;
  const isSameSize = width === picture.colour.width && height === picture.colour.height;
  if (isSameSize && alpha.depth === colour.depth) return;
  throw new Failure(
    'FORMAT_UNSUPPORTED',
    `The alpha of this AVIF is ${width} × ${height} of ${alpha.depth} bits, but its colours are ${picture.colour.width} × ${picture.colour.height} of ${colour.depth} bits; the two must be the same.`,
  );
}
