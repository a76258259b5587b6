import type { FilterName } from '../image/kernels/weights.ts';
import type { Pixels } from '../image/pixels.ts';
import type { SourcePlan } from '../image/plan.ts';
import type { ImageHeader } from './header.ts';
import type { SourceStructure } from './source-structure.ts';

/**
 * A format that can be read: one row of the table in codecs.ts. Everything here runs in the process that serves gRPC, so
 * it must not load a decoder. Only worker processes call `load`.
 */
export interface Codec {
  /** The format's name in messages, for example `JPEG`. */
  readonly name: string;
  /** The optional package that decodes the format. Unset: the decoder is always installed. */
  readonly peer?: OptionalPackage;
  /**
   * Whether a file is a document of pages. Its header is read and its pages are drawn in the workers for documents, and
   * the options of a page apply. Unset: it is a picture.
   */
  readonly isDocument?: true;
  /** Versions of the libraries in a decoder that is always installed, by name, known without loading it. */
  readonly libraries?: Readonly<Record<string, string>>;
  /** Advice for callers whose image is refused because the format is not enabled. */
  readonly advice?: string;
  detect(head: FileHead): boolean;
  /**
   * The number of bytes at the beginning of a file that `Decoder.readHeader` takes. Unset: the whole file.
   *
   * @param content - the whole file
   */
  headerBytes?(content: Buffer): number;
  /**
   * Reads the header without a decoder, in about a millisecond at most.
   *
   * @param source - which part of the file is read; unset: its first page or frame
   * @returns undefined if only the decoder can read this file's header
   * @throws FORMAT_UNSUPPORTED, IMAGE_CORRUPT
   */
  readHeader?(content: Uint8Array, source?: SourcePlan): ImageHeader | undefined;
  /** Counts the parts of a file that take time besides its pixels. @returns undefined if it has the usual parts */
  readStructure?(content: Buffer): SourceStructure | undefined;
  readonly price: DecodingPrice;
  /** Loads the decoder. */
  load(): Promise<Decoder>;
}

/** An optional package in package.json's `peerDependencies`: present only if it was installed by name. */
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

/** The cost of decoding. image/price.ts describes how these figures are measured. */
export interface DecodingPrice {
  /** Bytes that every image takes, whatever its size. Default: none but those of image/price.ts. */
  readonly fixedBytes?: number;
  /** Bytes per pixel that the decoder holds beside the pixels that it returns. */
  heldBytes(header: ImageHeader): number;
  /** Nanoseconds of CPU per pixel. */
  decodingTime(header: ImageHeader): number;
  /** Nanoseconds of CPU per pixel of a plain file, neither progressive nor interlaced. Unset: from `decodingTime`. */
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
   * @param source - which part of the file is read; unset: its first page or frame
   * @throws FORMAT_UNSUPPORTED, IMAGE_CORRUPT; the size is not checked
   */
  readHeader?(content: Uint8Array, source?: SourcePlan): ImageHeader | Promise<ImageHeader>;
  /**
   * Decodes the whole image to the bytes that Pillow has before `ImageOps.exif_transpose` and after its conversions.
   * ICC profiles are ignored, 16 bits become 8 by the high byte (Pillow clips there), CMYK is converted by Pillow's
   * formula, palettes are expanded. Of several frames, the first is decoded.
   *
   * @returns [height, width, channels] uint8: 1 channel for gray, 3 for colour, 4 with alpha; it may be in the scratch
   *   memory
   * @throws IMAGE_CORRUPT, OVERLOADED
   */
  decode(content: Uint8Array, header: ImageHeader): Pixels | Promise<Pixels>;
  /**
   * Decodes for fast numerics if the decoder can skip pixels or resize by itself. Unset: `decode` is used.
   *
   * @throws IMAGE_CORRUPT, OVERLOADED
   */
  decodeFast?(content: Uint8Array, header: ImageHeader, target: FastTarget): Promise<FastDecoded>;
}

/** The part of a plan that lets fast numerics decode less. */
export interface FastTarget {
  /** The resize that comes first. Unset: the source keeps its size. */
  readonly resize?: {
    /** Size to resample to, upright, in pixels. */
    readonly width: number;
    readonly height: number;
    readonly filter: FilterName;
    /** Whether the source is cropped to the aspect ratio of width × height. */
    readonly isCover: boolean;
    /** Source pixels per resampled pixel, along the side where the ratio is smaller. */
    readonly sourcePerPixel: number;
  };
  /** Whether only the luma of the pixels is used. */
  readonly lumaOnly: boolean;
}

/** The source of fast numerics, as stored. */
export interface FastDecoded {
  /** [height, width, channels] uint8, as in `Decoder.decode`. */
  readonly pixels: Pixels;
  /** Whether the pixels already have the size of the resize. Else they are the source or a smaller version of it. */
  readonly isResized: boolean;
}
