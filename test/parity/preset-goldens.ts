import { readFileSync } from 'node:fs';
import process from 'node:process';
import type { Pixels } from '../../src/processor/image/pixels.ts';

/*
 * The goldens of make_preset_goldens.py and make_timm_goldens.py, and the pictures that they were made of.
 * PRESET_GOLDENS names another file that the first has written.
 */

/** A preset and its results for some pictures. */
export interface GoldenPreset {
  readonly name: string;
  /** A preprocessor_config.json. */
  readonly config?: string;
  /** The name of a preset. */
  readonly weights?: string;
  /** The tensor's name. */
  readonly tensor: string;
  /** Seven values of the first case's tensor, from its first to six sevenths of the way, by each library. */
  readonly samples: Readonly<Record<GoldenLibrary, readonly number[]>>;
  readonly cases: readonly Golden[];
}

/** The libraries with goldens: the backends of transformers, and those of the images that the others process. */
export const goldenLibraries = ['pillow', 'torch'] as const;

export type GoldenLibrary = (typeof goldenLibraries)[number];

/** A picture and its result by each library. Unset: the library refuses this size or filter. */
export interface Golden {
  readonly source: Source;
  readonly results: Readonly<Partial<Record<GoldenLibrary, GoldenResult>>>;
}

/** How a picture is made. */
export interface Source {
  readonly width: number;
  readonly height: number;
  readonly channels: Pixels['channels'];
  /** Waves with blocks of noise, or without. */
  readonly kind: 'mixed' | 'smooth';
}

/** Hashes are the first 16 digits of SHA-256. */
interface GoldenResult {
  readonly width: number;
  readonly height: number;
  readonly datatype: 'FP32' | 'UINT8';
  /** Of [height, width, 3] uint8, before it is rescaled. */
  readonly pixels: string;
  /** Of [3, height, width]. */
  readonly tensor: string;
}

interface File {
  readonly versions: Readonly<Record<string, string>>;
  readonly classes: Readonly<Record<string, string>>;
  readonly presets: readonly {
    readonly name: string;
    readonly config?: string;
    readonly weights?: string;
    readonly tensor?: string;
    readonly pillow_samples: string;
    readonly torch_samples: string;
    readonly cases: readonly string[];
  }[];
}

const file = read(process.env.PRESET_GOLDENS ?? new URL('preset-goldens.json', import.meta.url));
const timmFile = read(new URL('timm-goldens.json', import.meta.url));

function read(path: string | URL): File {
  return JSON.parse(readFileSync(path, 'utf8'));
}

/** Versions of the Python packages. */
export const versions: Readonly<Record<string, string>> = { ...timmFile.versions, ...file.versions };

/** The values of transformers' classes for what a config leaves out. */
export const classValues: ReadonlyMap<string, Readonly<Record<string, unknown>>> = new Map(
  Object.entries(file.classes).map(([name, values]) => [name, JSON.parse(values)]),
);

const sources = new Map<string, Source>();

const given = process.env.PRESET_GOLDENS ? file.presets : [...file.presets, ...timmFile.presets];

export const goldenPresets: readonly GoldenPreset[] = given.map((preset) => ({
  tensor: preset.config === undefined ? 'image' : 'pixel_values',
  ...preset,
  samples: { pillow: samplesOf(preset.pillow_samples), torch: samplesOf(preset.torch_samples) },
  cases: preset.cases.map(goldenOf),
}));

function samplesOf(words: string): readonly number[] {
  return words === '' ? [] : words.split(' ').map(Number);
}

/** One line, as make_preset_goldens.py describes it. Equal pictures have one source. */
function goldenOf(line: string): Golden {
  const [shape = '', kind, size = '', dtype, ...hashes] = line.split(' ');
  const [width = 0, height = 0, channels] = shape.split('x').map(Number);
  const source = sources.get(`${shape} ${kind}`) ?? ({ width, height, channels, kind } as Source);
  sources.set(`${shape} ${kind}`, source);
  const [resultWidth = 0, resultHeight = 0] = size.split('x').map(Number);
  const results = goldenLibraries.flatMap((library, index): [GoldenLibrary, GoldenResult][] => {
    const [pixels = '-', tensor = '-'] = hashes.slice(2 * index);
    if (pixels === '-') return [];
    const datatype = dtype === 'float32' ? 'FP32' : 'UINT8';
    return [[library, { width: resultWidth, height: resultHeight, datatype, pixels, tensor }]];
  });
  return { source, results: Object.fromEntries(results) };
}

/** A picture by its description: `640x427x3 mixed`. */
export function sourceOf(description: string): Source {
  const [shape = '', kind] = description.split(' ');
  const [width = 0, height = 0, channels] = shape.split('x').map(Number);
  return { width, height, channels, kind } as Source;
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
