import sharp from 'sharp';

/**
 * Pictures made in code, the same bytes of pixels in every run. Each function returns a `Picture`; `encoded`
 * turns it into a file.
 */

/** Pixels as [height, width, channels] uint8, sRGB. */
export interface Picture {
  readonly pixels: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3 | 4;
}

export type Colour = readonly [red: number, green: number, blue: number];

function paint(width: number, height: number, colourAt: (x: number, y: number) => Colour): Picture {
  const pixels = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) pixels.set(colourAt(x, y), (y * width + x) * 3);
  }
  return { pixels, width, height, channels: 3 };
}

/** One colour everywhere. */
export function solid(width: number, height: number, colour: Colour): Picture {
  return paint(width, height, () => colour);
}

/** Vertical bars of the colours, each `barWidth` × `height`. */
function bars(colours: readonly Colour[], barWidth: number, height: number): Picture {
  return paint(colours.length * barWidth, height, (x) => colours[Math.floor(x / barWidth)] ?? [0, 0, 0]);
}

/** Red, green and blue, one pixel each. Rec. 601 luma makes them 76, 150 and 29. */
export const redGreenBlue = bars(
  [
    [255, 0, 0],
    [0, 255, 0],
    [0, 0, 255],
  ],
  1,
  1,
);

/** Red grows from left to right, green from top to bottom, blue is 128. */
export function gradient(width: number, height: number): Picture {
  return paint(width, height, (x, y) => [
    Math.round((255 * x) / Math.max(1, width - 1)),
    Math.round((255 * y) / Math.max(1, height - 1)),
    128,
  ]);
}

/** Numbers from 0 to 255, the same for the same seed (Marsaglia's xorshift32). */
function randomBytes(seed: number): () => number {
  let state = seed | 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state & 255;
  };
}

/** Random values in every pixel: the worst case of an encoder. */
export function noise(width: number, height: number, seed = 1): Picture {
  const next = randomBytes(seed);
  return paint(width, height, () => [next(), next(), next()]);
}

/**
 * A sky with a sun over wooded hills: smooth areas, edges, fine texture and grain, as in a photograph. As a
 * JPEG of quality 80, 2725 × 2225 pixels are about a megabyte.
 */
export function photoLike(width: number, height: number, seed = 1): Picture {
  const next = randomBytes(seed);
  const grain = Float32Array.from({ length: 65_536 }, () => (next() - 128) / 12);
  const pixels = new Uint8ClampedArray(width * height * 3);
  for (let y = 0; y < height; y++) {
    const v = y / height;
    for (let x = 0; x < width; x++) {
      const u = x / width;
      // A step that has no factor in common with the table's length.
      const noise = grain[(y * 40_503 + x) & 65_535] ?? 0;
      const at = (y * width + x) * 3;
      if (v > 0.55 + 0.12 * Math.sin(7 * u) + 0.05 * Math.sin(23 * u + 1)) {
        const leaves = 24 * Math.sin(x * 0.7) * Math.cos(y * 0.5 + u * 30) + noise;
        pixels[at] = 70 + 60 * v + leaves;
        pixels[at + 1] = 110 - 30 * u + leaves;
        pixels[at + 2] = 50 + noise;
      } else if ((u - 0.7) ** 2 + (v - 0.25) ** 2 < 0.01) {
        pixels[at] = 250 + noise;
        pixels[at + 1] = 235 + noise;
        pixels[at + 2] = 170 + noise;
      } else {
        const sky = 200 - 120 * v;
        pixels[at] = sky * 0.6 + noise;
        pixels[at + 1] = sky * 0.8 + noise;
        pixels[at + 2] = sky + 40 + noise;
      }
    }
  }
  return { pixels: new Uint8Array(pixels.buffer), width, height, channels: 3 };
}

/** The picture as a file. PNG keeps every value; the others don't. */
export async function encoded(
  picture: Picture,
  format: 'png' | 'jpeg' | 'webp' | 'gif' | 'tiff' | 'avif',
  options: { quality?: number; progressive?: boolean } = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const { pixels, width, height, channels } = picture;
  const bytes = await sharp(pixels, { raw: { width, height, channels } })
    .toFormat(format, options)
    .toBuffer();
  return new Uint8Array(bytes);
}

/** A file's pixels as they are stored: neither turned by EXIF nor converted by an ICC profile. */
export async function decoded(file: Uint8Array): Promise<Picture> {
  const image = sharp(file, { ignoreIcc: true });
  const { space } = await image.metadata();
  // sharp gives three channels for a gray file by default.
  const { data, info } = await (space === 'b-w' ? image.toColourspace('b-w') : image)
    .raw()
    .toBuffer({ resolveWithObject: true });
  if (info.channels === 2) throw new Error('a gray image with alpha: no Picture');
  return { pixels: new Uint8Array(data), width: info.width, height: info.height, channels: info.channels };
}
