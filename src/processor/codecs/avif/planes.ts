/**
 * Planes as the decoder gave them: three samples a pixel, Cr, Y and Cb, with chroma of half size repeated; or Y alone.
 * 8 bits a sample, or 16 of which the highest count.
 */
export interface Planes {
  readonly samples: Uint8Array | Uint16Array;
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
}

/** Where the channels of three stand. */
export const crChannel = 0;
export const lumaChannel = 1;
export const cbChannel = 2;

/** By how much a sample is shifted right to have this many bits. */
export function shiftOf({ samples }: Planes, depth: number): number {
  return (samples instanceof Uint16Array ? 16 : 8) - depth;
}

/** Copies a row of Y, with `depth` bits a sample. */
export function readLuma(planes: Planes, y: number, depth: number, row: Uint16Array): void {
  const { samples, width, channels } = planes;
  const shift = shiftOf(planes, depth);
  let at = y * width * channels + (channels === 1 ? 0 : lumaChannel);
  for (let x = 0; x < width; x++, at += channels) row[x] = (samples[at] as number) >> shift;
}
