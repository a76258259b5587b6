/*
 * The resampler beside Pillow's: one run of each in turn on the same pixels, medians of the wall time. Both are
 * single-threaded. No time counts whose answer isn't Pillow's, byte for byte.
 *
 *   node bench/resample.ts [--python /path/to/python-that-has-pillow] [--runs 21]
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import process from 'node:process';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { parseArgs } from 'node:util';
import { resample } from '../src/processor/image/kernels/resample.ts';
import type { Pixels } from '../src/processor/image/pixels.ts';

const { values: options } = parseArgs({
  options: {
    python: { type: 'string', default: 'python3' },
    runs: { type: 'string', default: process.argv.includes('--quick') ? '5' : '21' },
    quick: { type: 'boolean' },
    images: { type: 'string' },
  },
});

const filters = ['bilinear', 'bicubic', 'lanczos'] as const;
const sizes = [
  [1024, 768],
  [224, 224],
] as const;

/** Reads a line of JSON from stdin and answers with one: either a picture, whose bytes follow, or a resize to time. */
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

interface PillowAnswer {
  readonly version: string;
  readonly ms: number;
  readonly sha256: string;
}

function askerOf(python: ChildProcessByStdio<Writable, Readable, null>) {
  const lines = createInterface({ input: python.stdout })[Symbol.asyncIterator]();
  return async (question: object, bytes?: Uint8Array): Promise<PillowAnswer> => {
    python.stdin.write(`${JSON.stringify(question)}\n`);
    if (bytes !== undefined && !python.stdin.write(bytes)) await once(python.stdin, 'drain');
    const { value, done } = await lines.next();
    if (done) throw new Error(`${options.python} ended: has it Pillow?`);
    return JSON.parse(value) as PillowAnswer;
  };
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] as number;
}

const python = spawn(options.python, ['-c', pillowScript], { stdio: ['pipe', 'pipe', 'inherit'] });
const ask = askerOf(python);

for (const [mode, channels] of [
  ['RGB', 3],
  ['L', 1],
  ['RGBA', 4],
] as const) {
  const source = picture(2725, 2225, channels);
  const size = [source.width, source.height];
  const { version } = await ask({ mode, size, bytes: source.data.length }, source.data);
  if (channels === 3) {
    console.log(`2725 × 2225, medians of ${options.runs} runs in turn with Pillow ${version}, ms\n`);
    console.log('| mode | filter | to | ours | Pillow | ratio |');
    console.log('|---|---|---|---|---|---|');
  }
  for (const filter of filters) {
    for (const [width, height] of sizes) {
      const ours: number[] = [];
      const theirs: number[] = [];
      // The first runs, in which V8 compiles the kernels, aren't counted.
      for (let run = -4; run < Number(options.runs); run++) {
        const answer = await ask({ size: [width, height], filter });
        const start = performance.now();
        const { data } = resample(source, width, height, filter);
        const ms = performance.now() - start;
        if (createHash('sha256').update(data).digest('hex') !== answer.sha256) {
          throw new Error(`${mode} ${filter} ${width} × ${height} isn't as Pillow's`);
        }
        if (run < 0) continue;
        ours.push(ms);
        theirs.push(answer.ms);
      }
      const [our, their] = [median(ours), median(theirs)];
      const cells = [
        mode,
        filter,
        `${width} × ${height}`,
        our.toFixed(1),
        their.toFixed(1),
        (our / their).toFixed(2),
      ];
      console.log(`| ${cells.join(' | ')} |`);
    }
  }
}
python.stdin.end();
