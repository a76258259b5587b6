import type { Pixels } from '../pixels.ts';

const round32 = Math.fround;

/** A gray level as bright as a colour. */
type LevelOf = (red: number, green: number, blue: number) => number;

const [redOfTorch, greenOfTorch, blueOfTorch] = [round32(0.2989), round32(0.587), round32(0.114)];

/**
 * torchvision's `functional.rgb_to_grayscale` of uint8: 0.2989·R + 0.587·G + 0.114·B in single precision, added by
 * fused multiply-adds and truncated. White becomes 254.
 */
const byTorch: LevelOf = (red, green, blue) =>
  Math.trunc(round32(round32(round32(red * redOfTorch) + green * greenOfTorch) + blue * blueOfTorch));

/** `cv2.cvtColor(…, cv2.COLOR_RGB2GRAY)` of uint8: Rec. 601 luma with 15 fraction bits. */
const byOpenCv: LevelOf = (red, green, blue) => (9798 * red + 19235 * green + 3735 * blue + (1 << 14)) >> 15;

const levels = { torch: byTorch, opencv: byOpenCv } as const;

/**
 * Grayscale as the library computes it from R, G and B. Gray counts as R = G = B; torchvision makes it darker by one.
 *
 * @param image - [height, width, 1 | 3 | 4] uint8
 * @returns [height, width, 1] uint8, or [height, width, 2] if there is alpha, which is kept
 */
export function libraryLuma({ data, width, height, channels }: Pixels, library: keyof typeof levels): Pixels {
  const levelOf = levels[library];
  if (channels === 1) {
    const table = Uint8Array.from({ length: 256 }, (_, level) => levelOf(level, level, level));
    return { data: data.map((level) => table[level] as number), width, height, channels: 1 };
  }
  const hasAlpha = channels === 4;
  const gray = new Uint8Array(width * height * (hasAlpha ? 2 : 1));
  for (let from = 0, to = 0; from < data.length; from += channels) {
    gray[to++] = levelOf(data[from] as number, data[from + 1] as number, data[from + 2] as number);
    if (hasAlpha) gray[to++] = data[from + 3] as number;
  }
  return { data: gray, width, height, channels: hasAlpha ? 2 : 1 };
}
