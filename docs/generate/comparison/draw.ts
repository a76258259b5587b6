import { readFileSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { launchBrowser } from '../../../test/support/browser.ts';
import goldens from './goldens.json' with { type: 'json' };
import { byTransformersJs } from './transformers-js.ts';
import {
  byOpenCv,
  byService,
  bySharp,
  byTransformers,
  differenceOf,
  type ModelPixels,
  side,
} from './ways.ts';

/*
 * Draws docs/images/comparison-{light,dark}.png, the README's picture, and writes its figures to comparison.json:
 *
 *   node docs/generate/comparison/draw.ts --transformers-js FOLDER [--font FILE]
 *
 * FOLDER has @huggingface/transformers in its node_modules; FILE is a font for the captions. It requires Chromium.
 */

/** Levels of difference that the map shows at full strength. */
const strongest = 24;
const photoFile = new URL('../../../test/fixtures/photo.jpg', import.meta.url);
const images = new URL('../../images/', import.meta.url);

const { values } = parseArgs({
  options: { 'transformers-js': { type: 'string' }, font: { type: 'string' } },
});
if (values['transformers-js'] === undefined) throw new Error('--transformers-js FOLDER is missing');

const photo = readFileSync(photoFile);
const training = await byTransformers(photo);
const js = await byTransformersJs(values['transformers-js'], photo);
const ways = [
  { name: 'OpenCV', call: 'cv2.resize(…)', pixels: await byOpenCv(photo) },
  { name: 'sharp', call: '.resize(224, 224)', pixels: await bySharp(photo) },
  { name: 'transformers.js', call: 'CLIPImageProcessor', pixels: js.pixels },
  { name: 'image-service', call: 'preset=openai/clip-…', pixels: await byService(photo) },
];
const figures = ways.map(({ name, pixels }) => ({ name, ...differenceOf(pixels, training) }));
const versions = { ...goldens.versions, sharp: sharp.versions.sharp, 'transformers.js': js.version };
writeFileSync(
  new URL('comparison.json', import.meta.url),
  `${JSON.stringify({ versions, figures }, undefined, 2)}\n`,
);

const tiles = await Promise.all(
  ways.map(async ({ name, call, pixels }, at) => ({
    name,
    call,
    percent: figures[at]?.percent ?? 0,
    image: await dataUrl(pixels),
    map: await dataUrl(mapOf(pixels, training)),
  })),
);
const original = { image: await dataUrl(training), photo: await thumbnail() };

for (const theme of ['light', 'dark'] as const) {
  await using browser = await launchBrowser();
  const page = await browser.newPage({ viewport: { width: 830, height: 10 }, deviceScaleFactor: 2 });
  await page.setContent(html(theme));
  await page.evaluate('document.fonts.ready');
  const drawn = await page.screenshot({ fullPage: true, omitBackground: true });
  const file = fileURLToPath(new URL(`comparison-${theme}.png`, images));
  await sharp(drawn).png({ palette: true, quality: 90, effort: 10 }).toFile(file);
  process.stdout.write(`${file}\n`);
}

/** The difference as heat: transparent where equal. */
function mapOf(pixels: ModelPixels, from: ModelPixels): ModelPixels {
  const heat = new Uint8Array(pixels.length);
  for (let at = 0; at < pixels.length; at += 3) {
    const levels = [0, 1, 2].map((channel) =>
      Math.abs((pixels[at + channel] ?? 0) - (from[at + channel] ?? 0)),
    );
    const strength = Math.min(1, Math.max(...levels) / strongest);
    heat.set([255 * Math.min(1, strength * 1.6), 255 * Math.max(0, strength * 1.8 - 0.7), 60 * strength], at);
  }
  return heat;
}

async function dataUrl(pixels: ModelPixels): Promise<string> {
  const png = await sharp(pixels, { raw: { width: side, height: side, channels: 3 } })
    .png()
    .toBuffer();
  return `data:image/png;base64,${png.toString('base64')}`;
}

async function thumbnail(): Promise<string> {
  const jpeg = await sharp(photo).resize({ width: 640 }).jpeg({ quality: 92 }).toBuffer();
  return `data:image/jpeg;base64,${jpeg.toString('base64')}`;
}

function html(theme: 'light' | 'dark'): string {
  const font =
    values.font === undefined
      ? ''
      : `@font-face{font-family:Caption;font-weight:100 900;src:url(data:font/woff2;base64,${readFileSync(values.font).toString('base64')})}`;
  const columns = tiles.map(
    ({ name, call, percent, image, map }) => `<figure class="${percent === 0 ? 'equal' : 'other'}">
      <figcaption><b>${name}</b><code>${call}</code></figcaption>
      <img src="${image}"><div class="map"><img src="${map}">${percent === 0 ? '<i>identical</i>' : ''}</div>
      <p><strong>${percent === 0 ? '0' : `${percent}&nbsp;%`}</strong>${percent === 0 ? 'values differ' : 'of the values differ'}</p>
    </figure>`,
  );
  return `<!doctype html><meta charset="utf-8"><style>${font}${readFileSync(new URL('comparison.css', import.meta.url), 'utf8')}</style>
    <body class="${theme}"><main>
      <figure><figcaption><b>Reference</b><code>transformers</code></figcaption>
        <img src="${original.image}"><div class="words">difference from<br>the reference</div><p></p></figure>
      ${columns.join('')}
    </main></body>`;
}
