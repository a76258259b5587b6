import type { SourcePlan } from '../image/plan.ts';
import type { Orientation } from './orientation.ts';
import type { SourceFormat } from './source-format.ts';

/** Facts about an image that are known before any pixel is decoded. */
export interface ImageHeader extends Orientation {
  readonly format: SourceFormat;
  /** The part of the file that this describes, and that is decoded. Unset: its first page or frame. */
  readonly source?: SourcePlan | undefined;
  /** Pixels as stored, before EXIF orientation. */
  readonly width: number;
  /** Pixels as stored, before EXIF orientation. */
  readonly height: number;
  readonly colour: 'gray' | 'rgb' | 'cmyk';
  /** Bits per sample; fewer than 8 are expanded to 8. */
  readonly bitDepth: 8 | 10 | 12 | 16;
  readonly hasAlpha: boolean;
  /** Whether the decoder returns one more channel, which is not alpha and is dropped. */
  readonly dropsSample?: true;
  /** Whether the image is a TIFF in tiles. */
  readonly isTiled?: true;
  readonly hasIccProfile: boolean;
  /** Frames or pages; the first is used. */
  readonly frames: number;
  /** A progressive JPEG, or an interlaced PNG or GIF: decoders hold all of it before the first row is complete. */
  readonly isProgressive: boolean;
  /** Values stored per pixel, on average: 1.5 in a JPEG of 4:2:0, 3 in one of 4:4:4. */
  readonly samplesPerPixel: number;
  /** Milliseconds that the parts besides the pixels take, by source-structure.ts. Unset: none. */
  readonly structureMs?: number;
}

/** Channels of the decoded pixels. */
export function channelsOf({ colour, hasAlpha }: ImageHeader): number {
  return { gray: 1, rgb: 3, cmyk: 4 }[colour] + (hasAlpha ? 1 : 0);
}

/** Bytes per pixel, as they are stored. */
export function storedBytes(header: ImageHeader): number {
  return (channelsOf(header) * header.bitDepth) / 8;
}
