import type { FilterName } from '../image/kernels/weights.ts';
import type { Pixels } from '../image/pixels.ts';
import type { SourcePlan } from '../image/plan.ts';
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
   * @param source - which part of the file is read; unset: its first page or frame
   * @returns undefined if only the decoder can read this file's header
   * @throws FORMAT_UNSUPPORTED, IMAGE_CORRUPT
   */
  readHeader?(content: Uint8Array, source?: SourcePlan): ImageHeader | undefined;
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
   * @param source - which part of the file is read; unset: its first page or frame
   * @throws FORMAT_UNSUPPORTED, IMAGE_CORRUPT; the size is not checked
   */
  readHeader?(content: Uint8Array, source?: SourcePlan): ImageHeader | Promise<ImageHeader>;
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
   * Decodes for fast numerics, where the decoder can save pixels or resize by itself. Unset: `decode` is used.
   *
   * @throws IMAGE_CORRUPT, OVERLOADED
   */
  decodeFast?(content: Uint8Array, header: ImageHeader, target: FastTarget): Promise<FastDecoded>;
}

/** What fast numerics need of a source. */
export interface FastTarget {
  /** The resize that comes first. Unset: the source keeps its size. */
  readonly resize?: {
    /** Size to resample to, upright, in pixels. */
    readonly width: number;
    readonly height: number;
    readonly filter: FilterName;
    /** Whether the source is cut to the shape of width × height. */
    readonly isCover: boolean;
    /** Source pixels per resampled pixel along the side that has fewer. */
    readonly sourcePerPixel: number;
  };
  /** Whether only the luma of the pixels is used. */
  readonly lumaOnly: boolean;
}

/** The source of fast numerics, as stored. */
export interface FastDecoded {
  /** [height, width, channels] uint8, as of `Decoder.decode`. */
  readonly pixels: Pixels;
  /** Whether the pixels have the size of the resize already. Else they are the source or a smaller version of it. */
  readonly isResized: boolean;
}
