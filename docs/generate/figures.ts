import { readFileSync } from 'node:fs';
import comparison from './comparison/comparison.json' with { type: 'json' };
import { table } from './markdown.ts';

/* The README's picture and table of figures: out of comparison.json and docs/performance.md, the home of each figure. */

/** Programs of docs/performance.md and their names in the README. */
const programs: readonly (readonly [inPerformance: string, inReadme: string])[] = [
  ['our service, multipart', '**image-service**'],
  ['our service, hot key', '**image-service**, a repeated image'],
  ['Pillow in FastAPI, multipart', 'Pillow in FastAPI'],
  ['OpenCV in FastAPI, multipart', 'OpenCV in FastAPI'],
  ['sharp in Hono, multipart', 'sharp in Hono'],
];

/** The picture for light and dark pages, with its figures as the alternative text. */
export function picture(): string {
  const { figures, versions } = comparison;
  const words = figures.map(({ name, percent }) => `${name}: ${percent === 0 ? 'none' : `${percent} %`}`);
  const alt = `Values that differ from what transformers gives CLIP. ${words.join(', ')}.`;
  const others = figures.filter(({ percent }) => percent > 0);
  const shares = others.map(({ percent }) => percent);
  const largest = Math.max(...others.map(({ max }) => max));
  return `<picture>
  <source media="(prefers-color-scheme: dark)" srcset="docs/images/comparison-dark.png">
  <img alt="${alt}" src="docs/images/comparison-light.png">
</picture>

One photo as CLIP ViT-B/32 gets it: ${Math.min(...shares)} to ${Math.max(...shares)} % of the values differ from those of transformers, by up to ${largest} of 255
levels, and no error reports it. A resize that is not the training's cost models 0.6 to 2.3 points of accuracy on ImageNet in
[SysNoise](https://arxiv.org/abs/2307.00280). ([The script](docs/generate/comparison/draw.ts) of the picture; transformers ${versions.transformers},
OpenCV ${versions.opencv}, sharp ${versions.sharp}, transformers.js ${versions['transformers.js']}.)`;
}

/** Errors and CPU time of the service and of the programs that it replaces, for one tensor. */
export function figuresTable(): string {
  const page = readFileSync(new URL('../performance.md', import.meta.url), 'utf8');
  const start = page.indexOf('| 6 MP JPEG → 224² FP32 NCHW, exact: way |');
  const rows = page
    .slice(start, page.indexOf('\n\n', start))
    .split('\n')
    .map((line) => line.split('|').map((cell) => cell.trim()));
  const cell = (name: string, column: string): string => {
    const value = rows.find(([, way]) => way === name)?.[rows[0]?.indexOf(column) ?? -1];
    if (value === undefined) throw new Error(`docs/performance.md has no "${column}" of "${name}"`);
    return value;
  };
  return table(
    ['6 MP JPEG → 224 × 224 FP32', 'largest error, of 255 levels', 'CPU per image', 'images/s, 2 cores'],
    programs.map(([name, shown]) => [
      shown,
      cell(name, 'max'),
      `${cell(name, 'CPU ms')} ms`,
      cell(name, 'images/s'),
    ]),
  );
}
