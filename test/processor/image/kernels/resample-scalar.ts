import type { Pixels } from '../../../../src/processor/image/pixels.ts';

/*
 * Pillow's resize written down plainly, one value at a time, after libImaging's Resample.c, Geometry.c and
 * Convert.c: what the kernels are compared with.
 */

type FilterName = 'nearest' | 'box' | 'bilinear' | 'hamming' | 'bicubic' | 'lanczos';
type Box = readonly [left: number, top: number, right: number, bottom: number];

const sinc = (x: number) => (x === 0 ? 1 : Math.sin(x * Math.PI) / (x * Math.PI));

const filters: Record<string, { support: number; weight: (x: number) => number }> = {
  box: { support: 0.5, weight: (x) => (x > -0.5 && x <= 0.5 ? 1 : 0) },
  bilinear: { support: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) },
  hamming: {
    support: 1,
    weight: (signed) => {
      const x = Math.abs(signed);
      if (x >= 1) return 0;
      return x === 0 ? 1 : sinc(x) * (Math.fround(0.54) + Math.fround(0.46) * Math.cos(x * Math.PI));
    },
  },
  bicubic: {
    support: 2,
    weight: (signed) => {
      const a = -0.5;
      const x = Math.abs(signed);
      if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
      return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
    },
  },
  lanczos: { support: 3, weight: (x) => (-3 <= x && x < 3 ? sinc(x) * sinc(x / 3) : 0) },
};

/** A slow version of `resample` in src/processor/image/kernels. */
export function resampleScalar(
  source: Pixels,
  width: number,
  height: number,
  filter: FilterName,
  box: Box = [0, 0, source.width, source.height],
  pillow: '12.1' | '12.3' | '13.0' = '13.0',
): Pixels {
  const [left, top, right, bottom] = box.map(Math.fround) as [number, number, number, number];
  const whole = left === 0 && top === 0 && right === source.width && bottom === source.height;
  if (whole && width === source.width && height === source.height) return source;
  if (filter === 'nearest') return nearestScalar(source, width, height, [left, top, right, bottom]);
  const { channels } = source;
  const hasAlpha = channels === 2 || channels === 4;
  const needsHorizontal = width !== source.width || left !== 0 || right !== width;
  const needsVertical = height !== source.height || top !== 0 || bottom !== height;
  const horizontally = (pixels: Pixels) =>
    needsHorizontal ? alongRows(pixels, left, right, width, filter) : pixels;
  const vertically = (pixels: Pixels) =>
    needsVertical ? transposed(alongRows(transposed(pixels), top, bottom, height, filter)) : pixels;
  const pixels = hasAlpha ? premultiplied(source) : source;
  const resized = goesDownFirst(source, width, height, pillow)
    ? horizontally(vertically(pixels))
    : vertically(horizontally(pixels));
  return hasAlpha ? unpremultiplied(resized) : resized;
}

function goesDownFirst(source: Pixels, width: number, height: number, pillow: string): boolean {
  if (pillow === '13.0' && source.height - height > 0) {
    return source.height - height > (source.width - width) * 2;
  }
  return pillow === '12.3' && height < source.height && source.height > source.width * 100;
}

function alongRows(source: Pixels, from: number, to: number, size: number, filter: FilterName): Pixels {
  const { data, channels } = source;
  const { support: reach, weight } = filters[filter] as NonNullable<(typeof filters)[string]>;
  const scale = Math.fround(to - from) / size;
  const filterScale = Math.max(1, scale);
  const support = reach * filterScale;
  const result = new Uint8Array(size * source.height * channels);
  for (let x = 0; x < size; x++) {
    const centre = from + (x + 0.5) * scale;
    const start = Math.max(0, Math.trunc(centre - support + 0.5));
    const end = Math.min(source.width, Math.trunc(centre + support + 0.5));
    const weights = [];
    for (let i = start; i < end; i++) weights.push(weight((i - centre + 0.5) * (1 / filterScale)));
    const sum = weights.reduce((total, value) => total + value, 0);
    const fixed = weights.map((value) => {
      const normalized = sum === 0 ? value : value / sum;
      return Math.trunc(normalized * 2 ** 22 + (normalized < 0 ? -0.5 : 0.5));
    });
    for (let y = 0; y < source.height; y++) {
      for (let channel = 0; channel < channels; channel++) {
        let total = 1 << 21;
        for (const [i, value] of fixed.entries()) {
          total = (total + value * (data[(y * source.width + start + i) * channels + channel] as number)) | 0;
        }
        result[(y * size + x) * channels + channel] = Math.min(255, Math.max(0, total >> 22));
      }
    }
  }
  return { ...source, data: result, width: size };
}

function transposed({ data, width, height, channels }: Pixels): Pixels {
  const result = new Uint8Array(data.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let channel = 0; channel < channels; channel++) {
        result[(x * height + y) * channels + channel] = data[(y * width + x) * channels + channel] as number;
      }
    }
  }
  return { data: result, width: height, height: width, channels };
}

function nearestScalar(
  source: Pixels,
  width: number,
  height: number,
  [left, top, right, bottom]: Box,
): Pixels {
  const { data, channels } = source;
  const result = new Uint8Array(width * height * channels);
  const stepX = Math.fround(right - left) / width;
  const stepY = Math.fround(bottom - top) / height;
  let sourceY = top + stepY * 0.5;
  for (let y = 0; y < height; y++, sourceY += stepY) {
    let sourceX = left + stepX * 0.5;
    for (let x = 0; x < width; x++, sourceX += stepX) {
      const column = Math.trunc(sourceX);
      const row = Math.trunc(sourceY);
      if (column >= source.width || row >= source.height) continue;
      for (let channel = 0; channel < channels; channel++) {
        result[(y * width + x) * channels + channel] = data[
          (row * source.width + column) * channels + channel
        ] as number;
      }
    }
  }
  return { data: result, width, height, channels };
}

function premultiplied(source: Pixels): Pixels {
  return withColours(source, (colour, alpha) => {
    const product = colour * alpha + 128;
    return ((product >> 8) + product) >> 8;
  });
}

function unpremultiplied(source: Pixels): Pixels {
  return withColours(source, (colour, alpha) =>
    alpha === 0 || alpha === 255 ? colour : Math.min(255, Math.trunc((255 * colour) / alpha)),
  );
}

function withColours(source: Pixels, change: (colour: number, alpha: number) => number): Pixels {
  const { channels } = source;
  const data = Uint8Array.from(source.data);
  for (let pixel = 0; pixel < data.length; pixel += channels) {
    const alpha = data[pixel + channels - 1] as number;
    for (let i = pixel; i < pixel + channels - 1; i++) data[i] = change(data[i] as number, alpha);
  }
  return { ...source, data };
}
