import process from 'node:process';
import sharp, { type Sharp } from 'sharp';
import { turboJpeg } from '../src/processor/codecs/jpeg/turbojpeg.ts';
import { encodePng } from '../src/processor/codecs/png/encode.ts';
import { benchArguments, cpuMs, difference, median, printTable } from './measure.ts';
import { benchPictures } from './pictures.ts';

/*
 * The cost and quality of encoders' settings: CPU and bytes of 1024 × 768 pixels, RGB, and how far what is decoded is
 * from what was encoded.
 */

sharp.concurrency(1);
sharp.cache(false);

const options = benchArguments();
const runs = options.quick ? 2 : 7;
const [width, height] = [1024, 768];
const { jpeg, png } = await benchPictures(options.images);
const sources = [...jpeg, ...png].slice(0, options.quick ? 2 : 6);
const pictures = await Promise.all(
  sources.map((file) =>
    sharp(file)
      .autoOrient()
      .resize(width, height, { fit: 'fill' })
      .toColourspace('srgb')
      .removeAlpha()
      .raw()
      .toBuffer(),
  ),
);

type Encode = (pixels: Buffer) => Promise<Uint8Array> | Uint8Array;
const bySharp =
  (encode: (image: Sharp) => Sharp): Encode =>
  (pixels) =>
    encode(sharp(pixels, { raw: { width, height, channels: 3 } })).toBuffer();

const ways: Record<string, Encode> = {
  'JPEG 90, Huffman tables of its own (sharp’s default)': bySharp((image) => image.jpeg({ quality: 90 })),
  'JPEG 90, the standard’s tables, sharp': bySharp((image) =>
    image.jpeg({ quality: 90, optimiseCoding: false }),
  ),
};
if (turboJpeg) {
  ways['JPEG 90, the standard’s tables, TurboJPEG'] = (pixels) =>
    turboJpeg?.encode({ data: pixels, width, height, channels: 3 }, 90) ?? new Uint8Array();
}
for (const compressionLevel of [1, 2, 6]) {
  for (const adaptiveFiltering of [false, true]) {
    ways[`PNG, level ${compressionLevel}${adaptiveFiltering ? ', adaptive filters' : ''}`] = bySharp(
      (image) => image.png({ compressionLevel, adaptiveFiltering }),
    );
  }
}
ways['PNG, by content'] = (pixels) => encodePng({ data: pixels, width, height, channels: 3 });
for (const effort of [0, 2, 4]) {
  ways[`WebP 80, effort ${effort}`] = bySharp((image) => image.webp({ quality: 80, effort }));
}
/** The settings of encode.ts; the tables show the others of each format relative to them. */
const chosen = [
  turboJpeg ? 'JPEG 90, the standard’s tables, TurboJPEG' : 'JPEG 90, the standard’s tables, sharp',
  'PNG, by content',
  'WebP 80, effort 2',
];

const measured = new Map(
  Object.keys(ways).map((name) => [name, { cpu: [] as number[], bytes: 0, mean: 0, max: 0 }]),
);
for (let run = -1; run < runs; run++) {
  for (const [name, encode] of Object.entries(ways)) {
    let [cpu, bytes] = [0, 0];
    for (const pixels of pictures) {
      const before = process.cpuUsage();
      const file = await encode(pixels);
      cpu += cpuMs(process.cpuUsage(before));
      bytes += file.length;
      const result = measured.get(name);
      if (run >= 0 || result === undefined) continue;
      const error = difference(await sharp(file).raw().toBuffer(), pixels);
      if (name.startsWith('PNG') && error.max > 0) throw new Error(`${name} changed a pixel`);
      if (error.mean > 5) throw new Error(`${name}: ${error.mean} levels from what was encoded`);
      result.mean += error.mean / pictures.length;
      result.max = Math.max(result.max, error.max);
    }
    const result = measured.get(name);
    if (run < 0 || result === undefined) continue;
    result.cpu.push(cpu / pictures.length);
    result.bytes = bytes / pictures.length;
  }
}
const rows = [['encoder', 'CPU ms', 'KB', '× CPU of the chosen', '× its bytes', 'mean error', 'max']];
for (const [name, { cpu, bytes, mean, max }] of measured) {
  const own = measured.get(chosen.find((one) => one.slice(0, 3) === name.slice(0, 3)) ?? '');
  rows.push([
    chosen.includes(name) ? `**${name}**` : name,
    median(cpu).toFixed(1),
    (bytes / 1000).toFixed(0),
    (median(cpu) / median(own?.cpu ?? [])).toFixed(2),
    (bytes / (own?.bytes ?? Number.NaN)).toFixed(2),
    mean.toFixed(2),
    max.toFixed(0),
  ]);
}
printTable(rows);
process.stdout.write(
  `\n${width} × ${height} RGB of ${pictures.length} pictures; the bold ones are what encode.ts has.\n`,
);
