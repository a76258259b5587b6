import type { ColourCoding } from './sequence-header.ts';

/** One AV1 image as it is stored. */
export interface CodedImage {
  /** Open bitstream units. */
  readonly data: Buffer;
  /** The body of its `av1C`. */
  readonly configuration: Buffer;
  /** Pixels. */
  readonly width: number;
  readonly height: number;
}

/** Colour or alpha: one AV1 image, or the tiles of a grid, row by row. */
export interface Layer {
  /** Pixels; the tiles may reach beyond. */
  readonly width: number;
  readonly height: number;
  readonly columns: number;
  readonly tiles: readonly CodedImage[];
}

/** What of an AVIF file its first picture needs. */
export interface AvifPicture {
  readonly colour: Layer;
  readonly alpha: Layer | undefined;
  readonly isPremultiplied: boolean;
  /** From the file's `colr`; unset: the AV1 image has it. */
  readonly coding: ColourCoding | undefined;
  readonly hasIccProfile: boolean;
  /** EXIF's, 1…8, from `irot` and `imir`. */
  readonly orientation: number;
  readonly frames: number;
  /** The items' bytes: EXIF begins with the offset of its TIFF header, 4 bytes. */
  readonly exif: Buffer | undefined;
  readonly xmp: Buffer | undefined;
}
