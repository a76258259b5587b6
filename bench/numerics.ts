/*
 * The error of other ways of resizing, beside Pillow's pixels, as the Markdown of docs/numerics.md.
 *
 *   node bench/numerics.ts [--python /path/to/python-that-has-pillow] [--images DIR]
 *
 * DIR contains JPEGs to measure instead of the pictures made here. Without Pillow, the exact kernels are the reference. If
 * Python has OpenCV or torchvision as well, their error is measured too.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { readHeader } from '../src/processor/codecs/read-header.ts';
import type { Plan } from '../src/processor/image/plan.ts';
import { hasModules, type PythonPeer, startPython } from '../test/parity/python-peer.ts';
import { processOnePlan } from '../test/support/one-plan.ts';
import { encoded, noise, photoLike } from '../test/support/pictures.ts';
import { planFrom } from '../test/support/plans.ts';

const { values: options } = parseArgs({
  options: {
    python: { type: 'string', default: 'python3' },
    images: { type: 'string' },
  },
});

const maxPixels = 2 ** 28;
const filters = ['bilinear', 'bicubic', 'lanczos'] as const;
const sizes = [
  [224, 224],
  [1024, 768],
] as const;
const kernels = { bilinear: 'linear', bicubic: 'cubic', lanczos: 'lanczos3' } as const;

interface Case {
  readonly file: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly filter: (typeof filters)[number];
}

type Way = (task: Case) => Promise<Uint8Array>;

function ours(numerics: Plan['numerics'], grayscale: boolean): Way {
  return async ({ file, width, height, filter }) => {
    const plan = planFrom({
      resize: { fit: 'fill', filter, width, height },
      grayscale,
      numerics,
      output: {
        kind: 'tensor',
        name: 'image',
        datatype: 'UINT8',
        layout: 'NHWC',
        rescaleFactor: 1,
        mean: [0],
        std: [1],
        channelOrder: 'RGB',
        container: 'raw',
      },
    });
    const header = await readHeader(file, maxPixels);
    const answer = await processOnePlan(file, header, plan, maxPixels);
    if ('failure' in answer) throw new Error(answer.failure.message);
    return answer.result.content;
  };
}

function bySharp(how: { fastShrinkOnLoad?: boolean; gray?: boolean }): Way {
  return ({ file, width, height, filter }) => {
    const { fastShrinkOnLoad = true, gray = false } = how;
    const kernel = kernels[filter];
    const image = sharp(file).autoOrient().resize({ width, height, fit: 'fill', kernel, fastShrinkOnLoad });
    return (gray ? image.grayscale() : image).raw().toBuffer();
  };
}

/** The resize of @huggingface/transformers in Node: sharp's affine, which doesn't antialias; lanczos by resize. */
const byTransformersJs: Way = async ({ file, width, height, filter }) => {
  const { data, info } = await sharp(file).raw().toBuffer({ resolveWithObject: true });
  const image = sharp(data, { raw: { width: info.width, height: info.height, channels: info.channels } });
  const resized =
    filter === 'lanczos'
      ? image.resize({ width, height, fit: 'fill', kernel: 'lanczos3' })
      : image.affine([width / info.width, 0, 0, height / info.height], { interpolator: filter });
  return resized.raw().toBuffer();
};

/** Which of Python's ways stands beside which filter. OpenCV has its own names, and torch no lanczos. */
const pythonWays: Readonly<Record<string, readonly string[]>> = {
  bilinear: ['OpenCV INTER_LINEAR', 'OpenCV INTER_AREA', 'torchvision v2, uint8, antialias'],
  bicubic: ['OpenCV INTER_CUBIC', 'torchvision v2, uint8, antialias'],
  lanczos: ['OpenCV INTER_LANCZOS4'],
};

function errorCells(values: Uint8Array, reference: Uint8Array): string[] {
  if (values.length !== reference.length) return ['another size', '', '', ''];
  let [differing, beyondOne, largest, sum] = [0, 0, 0, 0];
  for (let at = 0; at < values.length; at++) {
    const levels = Math.abs((values[at] as number) - (reference[at] as number));
    if (levels > 0) differing++;
    if (levels > 1) beyondOne++;
    if (levels > largest) largest = levels;
    sum += levels;
  }
  const share = (count: number) => (count === 0 ? '0' : ((100 * count) / values.length).toFixed(2));
  return [share(differing), share(beyondOne), `${largest}`, (sum / values.length).toFixed(3)];
}

async function pictures(): Promise<{ name: string; file: Uint8Array }[]> {
  const { images } = options;
  if (images !== undefined) {
    const names = readdirSync(images).filter((name) => /\.jpe?g$/i.test(name));
    return names.map((name) => ({ name, file: readFileSync(join(images, name)) }));
  }
  const jpeg = { quality: 85 };
  return [
    { name: 'photo-like, 2725 × 2225', file: await encoded(photoLike(2725, 2225), 'jpeg', jpeg) },
    { name: 'photo-like, 1280 × 960', file: await encoded(photoLike(1280, 960, 2), 'jpeg', jpeg) },
    { name: 'noise, 1280 × 960', file: await encoded(noise(1280, 960), 'jpeg', jpeg) },
  ];
}

async function measure(task: Case, grayscale: boolean, python: PythonPeer | undefined, there: string[]) {
  const exact = ours('pillow', grayscale);
  const { width, height, filter } = task;
  const compute = async (way: string) =>
    (await python?.request({ way, width, height, filter, gray: grayscale }, task.file))?.bytes;
  const reference = (await compute('Pillow')) ?? (await exact(task));
  const rows: [name: string, values: Uint8Array][] = [
    ['**exact**', await exact(task)],
    ['**fast**', await ours('fast', grayscale)(task)],
  ];
  if (grayscale) {
    rows.push(['sharp, `.grayscale()`', await bySharp({ gray: true })(task)]);
  } else {
    rows.push(['sharp', await bySharp({})(task)]);
    rows.push(['sharp, `fastShrinkOnLoad: false`', await bySharp({ fastShrinkOnLoad: false })(task)]);
    rows.push(['as transformers.js in Node', await byTransformersJs(task)]);
    for (const way of pythonWays[filter]?.filter((way) => there.includes(way)) ?? []) {
      const values = await compute(way);
      if (values !== undefined) rows.push([way, values]);
    }
  }
  const to = `${width} × ${height}`;
  for (const [name, values] of rows) {
    const cells = [grayscale ? `${filter}, gray` : filter, to, name, ...errorCells(values, reference)];
    console.log(`| ${cells.join(' | ')} |`);
    if (name === '**exact**' && cells[3] !== '0') process.exitCode = 1;
  }
}

const python = hasModules(options.python, ['PIL'])
  ? startPython(options.python, new URL('numerics.py', import.meta.url))
  : undefined;
const about = await python?.request<{ versions: Record<string, string>; ways: string[] }>({});
const versions = Object.entries(about?.reply.versions ?? {}).map((entry) => entry.join(' '));
console.log(
  python
    ? `Reference: Pillow. Versions: ${[...versions, `sharp ${sharp.versions.sharp}`].join(', ')}.`
    : `Reference: our exact kernels, because no Pillow is installed (sharp ${sharp.versions.sharp}).`,
);
for (const { name, file } of await pictures()) {
  console.log(`\n${name} (JPEG, ${Math.round(file.length / 1024)} KiB)\n`);
  console.log('| filter | to | way | differ, % | by > 1, % | largest | mean |');
  console.log('|---|---|---|---|---|---|---|');
  for (const [width, height] of sizes) {
    for (const filter of filters) {
      await measure({ file, width, height, filter }, false, python, about?.reply.ways ?? []);
    }
    await measure({ file, width, height, filter: 'bilinear' }, true, python, []);
  }
}
python?.end();
