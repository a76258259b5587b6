import { readFileSync } from 'node:fs';
import process from 'node:process';
import type { Pixels } from '../../src/processor/image/pixels.ts';

/*
 * The goldens of make_preset_goldens.py, and the pictures that they were made of. PRESET_GOLDENS names another file
 * that it has written.
 */

/** A preset and its results for some pictures. */
export interface GoldenPreset {
  readonly name: string;
  /** A preprocessor_config.json. */
  readonly config?: string;
  /** torchvision's weights. */
  readonly weights?: string;
  /** Seven values of the first case's tensor, from its first to six sevenths of the way. */
  readonly samples: readonly number[];
  readonly cases: readonly Golden[];
}

/** A picture and its result; hashes are the first 16 digits of SHA-256. */
export interface Golden {
  readonly source: Source;
  /** Unset: Pillow refuses this size. */
  readonly result: GoldenResult | undefined;
}

/** How a picture is made. */
export interface Source {
  readonly width: number;
  readonly height: number;
  readonly channels: Pixels['channels'];
  /** Waves with blocks of noise, or without. */
  readonly kind: 'mixed' | 'smooth';
}

interface GoldenResult {
  readonly width: number;
  readonly height: number;
  readonly datatype: 'FP32' | 'UINT8';
  /** Of [height, width, 3] uint8, before it is rescaled. */
  readonly pixels: string;
  /** Of [3, height, width]. */
  readonly tensor: string;
  /** The torchvision backend's distance from the pixels, in levels. */
  readonly torchvision: { readonly most: number; readonly valuesBeyondOne: number } | undefined;
  /** Of the torchvision backend, where nothing is resized. */
  readonly torchvisionPixels: string | undefined;
}

interface File {
  readonly versions: Readonly<Record<string, string>>;
  readonly classes: Readonly<Record<string, string>>;
  readonly presets: readonly {
    readonly name: string;
    readonly config?: string;
    readonly weights?: string;
    readonly samples: string;
    readonly cases: readonly string[];
  }[];
}

const path = process.env.PRESET_GOLDENS ?? new URL('preset-goldens.json', import.meta.url);
const file: File = JSON.parse(readFileSync(path, 'utf8'));

/** Versions of the Python packages. */
export const { versions } = file;

/** The values of transformers' classes for what a config leaves out. */
export const classValues: ReadonlyMap<string, Readonly<Record<string, unknown>>> = new Map(
  Object.entries(file.classes).map(([name, values]) => [name, JSON.parse(values)]),
);

const sources = new Map<string, Source>();

export const goldenPresets: readonly GoldenPreset[] = file.presets.map((preset) => ({
  ...preset,
  samples: preset.samples === '' ? [] : preset.samples.split(' ').map(Number),
  cases: preset.cases.map(goldenOf),
}));

/** One line, as make_preset_goldens.py describes it. Equal pictures have one source. */
function goldenOf(line: string): Golden {
  const [shape = '', kind, size = '', dtype, pixels = '', tensor = '', levels = '', others] = line.split(' ');
  const [width = 0, height = 0, channels] = shape.split('x').map(Number);
  const source = sources.get(`${shape} ${kind}`) ?? ({ width, height, channels, kind } as Source);
  sources.set(`${shape} ${kind}`, source);
  if (size === '-') return { source, result: undefined };
  const [resultWidth = 0, resultHeight = 0] = size.split('x').map(Number);
  const [most = 0, valuesBeyondOne = 0] = levels.split('/').map(Number);
  const result: GoldenResult = {
    width: resultWidth,
    height: resultHeight,
    datatype: dtype === 'float32' ? 'FP32' : 'UINT8',
    pixels,
    tensor,
    torchvision: levels === '-' ? undefined : { most, valuesBeyondOne },
    torchvisionPixels: others === '-' ? undefined : others,
  };
  return { source, result };
}

/** The same picture as in Python, byte for byte. */
export function picture({ width, height, channels, kind }: Source): Pixels {
  const data = new Uint8Array(width * height * channels);
  let at = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const isNoise = kind === 'mixed' && ((x >> 4) + (y >> 4)) % 4 === 0;
      for (let channel = 0; channel < channels; channel++) {
        const wave = (x * 5 + y * 3 + channel * 85) % 512;
        const mixed = Math.imul(x, 73_856_093) ^ Math.imul(y, 19_349_663) ^ Math.imul(channel, 83_492_791);
        const noise = Math.imul(mixed, 2_654_435_761) >>> 24;
        data[at++] = isNoise ? noise : wave < 256 ? wave : 511 - wave;
      }
    }
  }
  return { data, width, height, channels };
}
