import type { ColourCoding } from './sequence-header.ts';

/** One AV1 image as stored. */
export interface CodedImage {
  /** Open bitstream units. */
  readonly data: Buffer;
  /** The body of its `av1C`. */
  readonly configuration: Buffer;
  /** In pixels. */
  readonly width: number;
  readonly height: number;
}

/** Colour or alpha: one AV1 image, or the tiles of a grid, row by row. */
export interface Layer {
  /** In pixels. The tiles may extend beyond this size. */
  readonly width: number;
  readonly height: number;
  readonly columns: number;
  readonly tiles: readonly CodedImage[];
}

/** The parts of an AVIF file that decoding its first picture takes. */
export interface AvifPicture {
  readonly colour: Layer;
  readonly alpha: Layer | undefined;
  readonly isPremultiplied: boolean;
  /** From the file's `colr`. Unset: the AV1 image states it. */
  readonly coding: ColourCoding | undefined;
  readonly hasIccProfile: boolean;
  /** As EXIF's orientation, 1…8; from `irot` and `imir`. */
  readonly orientation: number;
  readonly frames: number;
  /** The bytes of the items. EXIF begins with the 4-byte offset of its TIFF header. */
  readonly exif: Buffer | undefined;
  readonly xmp: Buffer | undefined;
}
