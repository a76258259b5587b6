import type { Geometry } from '../image/geometry.ts';
import type { Pixels } from '../image/pixels.ts';
import type { Plan } from '../image/plan.ts';
import type { ImageHeader } from './header.ts';
import type { SourceStructure } from './source-structure.ts';

/**
 * A format that can be read: one row of the table in codecs.ts. Everything here runs in the process that serves gRPC, so
 * it must not load a decoder; `load` does, in worker processes only.
 */
export interface Codec {
  /** The format's name in messages, for example `JPEG`. */
  readonly name: string;
  /** The optional package that decodes the format. Unset: the decoder is always there. */
  readonly peer?: OptionalPackage;
  /** For callers whose image is refused because the format is off. */
  readonly advice?: string;
  detect(head: FileHead): boolean;
  /**
   * How many bytes of the beginning of a file are enough for `Decoder.readHeader`. Unset: the whole file.
   *
   * @param content - the whole file
   */
  headerBytes?(content: Buffer): number;
  /**
   * Reads the header without a decoder, in about a millisecond at most.
   *
   * @returns undefined if only the decoder can read this file's header
   * @throws FORMAT_UNSUPPORTED, IMAGE_CORRUPT
   */
  readHeader?(content: Uint8Array): ImageHeader | undefined;
  /** Counts the parts of a file that cost time beside its pixels. @returns undefined for a file of the usual parts */
  readStructure?(content: Buffer): SourceStructure | undefined;
  readonly price: DecodingPrice;
  /** Loads the decoder. */
  load(): Promise<Decoder>;
}

/** A package of package.json's `peerDependencies` that is optional, so that it is only there if it was installed by name. */
export interface OptionalPackage {
  readonly package: string;
  readonly version: string;
}

/** The first bytes of a file, which identify its format. */
export interface FileHead {
  readonly bytes: Buffer;
  /** The same bytes as Latin-1. */
  readonly text: string;
}

/** What decoding costs. image/price.ts says how these figures are measured. */
export interface DecodingPrice {
  /** Bytes per pixel that the decoder holds beside the pixels that it returns. */
  heldBytes(header: ImageHeader): number;
  /** Nanoseconds of CPU per pixel. */
  decodingTime(header: ImageHeader): number;
  /** The same for a plain file of this size: neither progressive nor interlaced. Unset: by `decodingTime`. */
  plainDecodingTime?(header: ImageHeader): number;
}

/** The part of a codec that worker processes load. */
export interface Decoder {
  /** Versions of the libraries that only this decoder loads, by name. */
  readonly libraries?: Readonly<Record<string, string>>;
  /**
   * Reads the header of a file. Unset: `Codec.readHeader` reads every file.
   *
   * @param content - the file, or its `headerBytes`
   * @throws FORMAT_UNSUPPORTED, IMAGE_CORRUPT; the size is not checked
   */
  readHeader?(content: Uint8Array): ImageHeader | Promise<ImageHeader>;
  /**
   * Decodes the whole image to the bytes that Pillow has before `ImageOps.exif_transpose` and after its conversions: ICC
   * profiles ignored, 16 bits to 8 by the high byte (Pillow clips there), CMYK by Pillow's formula, palettes expanded, the
   * first frame.
   *
   * @returns [height, width, channels] uint8: 1 for gray, 3 for colour, 4 where there is alpha; it may be in the scratch
   *   memory
   * @throws IMAGE_CORRUPT, OVERLOADED
   */
  decode(content: Uint8Array, header: ImageHeader): Pixels | Promise<Pixels>;
  /**
   * Decodes and resizes for fast numerics, where the decoder can do both at once. Unset: `decode` is resampled.
   *
   * @returns the pixels of the geometry's cutout or of all of it, upright
   * @throws IMAGE_CORRUPT, OVERLOADED
   */
  decodeFast?(content: Uint8Array, header: ImageHeader, geometry: Geometry, plan: Plan): Promise<Pixels>;
}
