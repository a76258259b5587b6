import { createHash } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import process from 'node:process';
import sharp from 'sharp';
import { resample } from '../src/processor/image/kernels/resample.ts';
import { resampleAsTorch } from '../src/processor/image/kernels/torch.ts';
import type { Pixels } from '../src/processor/image/pixels.ts';
import { reach } from './figures.ts';
import { benchArguments, median, printTable } from './measure.ts';
import { startPython } from './python.ts';

/*
 * The resampler beside Pillow's and libvips', and torch's numerics beside Pillow's: one run of each in turn on the same decoded pixels, medians of the
 * wall time, each on one thread. A time counts only if the result is Pillow's, byte for byte, where Pillow is installed;
 * libvips has other numbers, so its result only needs the right size.
 */

// libvips would take a thread for each core.
sharp.concurrency(1);
sharp.cache(false);

const options = benchArguments();
const runs = options.quick ? 4 : 15;

/** A line of JSON is either a picture, whose bytes follow, or a resize to time. */
const pillowScript = `
import hashlib, json, sys, time
from PIL import Image, __version__
image = None
for line in iter(sys.stdin.buffer.readline, b""):
    case = json.loads(line)
    if "mode" in case:
        image = Image.frombytes(case["mode"], case["size"], sys.stdin.buffer.read(case["bytes"]))
        answer = {"version": __version__}
    else:
        start = time.perf_counter()
        resized = image.resize(case["size"], Image.Resampling[case["filter"].upper()])
        ms = (time.perf_counter() - start) * 1000
        answer = {"ms": ms, "sha256": hashlib.sha256(resized.tobytes()).hexdigest()}
    print(json.dumps(answer), flush=True)
`;

const modes = { RGB: 3, L: 1, RGBA: 4 } as const;
const kernels = { bilinear: 'linear', bicubic: 'cubic', lanczos: 'lanczos3' } as const;
const filters = ['bilinear', 'bicubic', 'lanczos'] as const;
type Filter = (typeof filters)[number];
const sizes = [
  [1024, 768],
  [224, 224],
] as const;

/** Smooth waves with a little noise, as photographs are; the same every time. */
function picture(width: number, height: number, channels: 1 | 3 | 4): Pixels {
  const data = new Uint8Array(width * height * channels);
  let state = 1;
  let at = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let channel = 0; channel < channels; channel++) {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        const wave = 110 + 70 * Math.sin((x + 90 * channel) / 97) + 50 * Math.sin((y + x / 3) / 41);
        data[at++] = Math.max(0, Math.min(255, wave + (state >>> 28)));
      }
    }
  }
  return { data, width, height, channels };
}

async function byLibvips(source: Pixels, width: number, height: number, filter: Filter): Promise<void> {
  const raw = { width: source.width, height: source.height, channels: source.channels };
  const { info } = await sharp(source.data, { raw })
    .toColourspace(source.channels === 1 ? 'b-w' : 'srgb')
    .resize({ width, height, fit: 'fill', kernel: kernels[filter] })
    .raw()
    .toBuffer({ resolveWithObject: true });
  if (info.size !== width * height * source.channels) throw new Error('libvips gave another size');
}

async function timed(work: () => unknown): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

const python = await startPython(options.python, pillowScript, 'PIL');
if (!python)
  process.stdout.write('Pillow is missing: neither its times nor a comparison with its bytes.\n\n');

const rows = [
  [
    'mode',
    'filter',
    'to',
    'ours ms',
    'libvips ms',
    '× libvips',
    'Pillow ms',
    '× Pillow',
    'as torch ms',
    '× as Pillow',
  ],
];
let version = '';
const ratios = { libvips: [] as number[], pillow: [] as number[] };
for (const [mode, channels] of Object.entries(modes)) {
  const source = picture(2725, 2225, channels);
  const size = [source.width, source.height];
  const question = { mode, size, bytes: source.data.length };
  version = (await python?.ask<{ version: string }>(question, source.data))?.version ?? '';
  for (const filter of filters) {
    for (const [width, height] of sizes) {
      const times = await compare(source, width, height, filter);
      const our = median(times.ours);
      const to = `${width} × ${height}`;
      rows.push([
        mode,
        filter,
        to,
        our.toFixed(1),
        ...beside(our, times.libvips),
        ...beside(our, times.pillow),
        median(times.torch).toFixed(1),
        (median(times.torch) / our).toFixed(2),
      ]);
      ratios.libvips.push(our / median(times.libvips));
      if (mode === 'RGB' && python) ratios.pillow.push(our / median(times.pillow));
    }
  }
}
printTable(rows);
const peers = [`sharp ${sharp.versions.sharp} with libvips ${sharp.versions.vips}`];
if (python) peers.push(`Pillow ${version}, each result equal to its own`);
process.stdout.write(`\n2725 × 2225, ${runs} runs in turn; ${peers.join('; ')}.\n`);
reach('resamplerPillow', ratios.pillow);
reach('resamplerLibvips', ratios.libvips);
python?.end();

function beside(our: number, theirs: readonly number[]): string[] {
  return theirs.length === 0 ? ['', ''] : [median(theirs).toFixed(1), (our / median(theirs)).toFixed(2)];
}

/** In milliseconds. */
async function compare(source: Pixels, width: number, height: number, filter: Filter) {
  const times = {
    ours: [] as number[],
    libvips: [] as number[],
    pillow: [] as number[],
    torch: [] as number[],
  };
  // The first runs, in which V8 compiles the kernels, aren't counted.
  for (let run = -4; run < runs; run++) {
    const pillow = await python?.ask<{ ms: number; sha256: string }>({ size: [width, height], filter });
    const libvips = await timed(() => byLibvips(source, width, height, filter));
    let data: Uint8Array = new Uint8Array();
    const ours = await timed(() => {
      data = resample(source, width, height, filter).data;
    });
    const torch = await timed(() => resampleAsTorch(source, 1, { width, height, filter }));
    if (pillow && createHash('sha256').update(data).digest('hex') !== pillow.sha256) {
      throw new Error(`${filter} ${width} × ${height} with ${source.channels} channels isn't as Pillow's`);
    }
    if (run < 0) continue;
    times.ours.push(ours);
    times.libvips.push(libvips);
    times.torch.push(torch);
    if (pillow) times.pillow.push(pillow.ms);
  }
  return times;
}
