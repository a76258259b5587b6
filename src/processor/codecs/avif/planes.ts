/**
 * Planes as the decoder returns them: Cr, Y and Cb per pixel, each sample of subsampled chroma repeated; or only Y.
 * Samples have 8 bits, or 16 of which the highest are used.
 */
export interface Planes {
  readonly samples: Uint8Array | Uint16Array;
  /** In pixels. */
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
}

/** Indexes of the three channels. */
export const crChannel = 0;
export const lumaChannel = 1;
export const cbChannel = 2;

/** The right shift that reduces a sample to this many bits. */
export function shiftOf({ samples }: Planes, depth: number): number {
  return (samples instanceof Uint16Array ? 16 : 8) - depth;
}

/** Copies a row of Y, with `depth` bits per sample. */
export function readLuma(planes: Planes, y: number, depth: number, row: Uint16Array): void {
  const { samples, width, channels } = planes;
  const shift = shiftOf(planes, depth);
  let at = y * width * channels + (channels === 1 ? 0 : lumaChannel);
  for (let x = 0; x < width; x++, at += channels) row[x] = (samples[at] as number) >> shift;
}
