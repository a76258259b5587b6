import { readFileSync } from 'node:fs';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import type { skewJson } from '../../../src/skew-json.ts';
import { startService } from '../../../test/support/service.ts';

/*
 * Draws docs/images/skew.png: the pixels that CLIP expects, those of another program, and the map of their differences.
 *
 *   node docs/generate/skew/draw.ts
 */

const side = 224;
const gap = 12;
const preset = 'openai/clip-vit-base-patch32';
const photo = readFileSync(new URL('../../../test/fixtures/sample.jpg', import.meta.url));
/** OpenCV's resize, whose picture keeps OpenCV's order of channels. */
const mistake = {
  ...{ shortest_edge: side, crop_width: side, crop_height: side, grayscale: false, filter: 'bilinear' },
  ...{ numerics: 'opencv', channel_order: 'bgr', format: 'npy' },
};
/** CLIP's. */
const normalization = {
  mean: '0.48145466,0.4578275,0.40821073',
  std: '0.26862954,0.26130258,0.27577711',
};

await using service = await startService({
  api: { REQUEST_TIMEOUT_MS: '300000' },
  processor: { MAX_TIMEOUT_MS: '300000' },
});
const expected = await picture({ preset, format: 'npy', pixels: 'uint8' });
const tensor = await bytesOf({ ...mistake, ...normalization });
const yours = await picture({ ...mistake, datatype: 'uint8' });
const report = await compare(tensor);
const map = Buffer.from(report.map ?? '', 'base64');

const tiles = [expected, yours, map].map((input, index) => ({ input, left: index * (side + gap), top: 0 }));
const file = fileURLToPath(new URL('../../images/skew.png', import.meta.url));
await sharp({
  create: {
    width: 3 * side + 2 * gap,
    height: side,
    channels: 4,
    background: { r: 0, g: 0, b: 0, alpha: 0 },
  },
})
  .composite(tiles)
  .png({ palette: true, quality: 90, effort: 10 })
  .toFile(file);
const { differing_share, mean_abs, cause } = report;
process.stdout.write(
  `${file}\n${JSON.stringify({ differing_share, mean_abs, sentence: cause?.sentence })}\n`,
);

async function bytesOf(options: Record<string, unknown>): Promise<Buffer<ArrayBuffer>> {
  const query = new URLSearchParams(
    Object.entries(options).map(([name, value]): [string, string] => [name, String(value)]),
  );
  const response = await fetch(`${service.url}/v1/images?${query}`, { method: 'POST', body: photo });
  if (!response.ok) throw new Error(await response.text());
  return Buffer.from(await response.arrayBuffer());
}

/** The planes of a uint8 tensor as a PNG. */
async function picture(options: Record<string, unknown>): Promise<Buffer> {
  const bytes = (await bytesOf(options)).subarray(-3 * side * side);
  const pixels = new Uint8Array(bytes.length);
  for (let at = 0; at < side * side; at++) {
    for (const channel of [0, 1, 2]) pixels[at * 3 + channel] = bytes[channel * side * side + at] ?? 0;
  }
  return await sharp(pixels, { raw: { width: side, height: side, channels: 3 } })
    .png()
    .toBuffer();
}

async function compare(content: Buffer<ArrayBuffer>): Promise<ReturnType<typeof skewJson>> {
  const body = new FormData();
  body.append('image', new Blob([photo]), 'photo.jpg');
  body.append('tensor', new Blob([content]), 'yours.npy');
  const response = await fetch(`${service.url}/v1/skew?${new URLSearchParams({ preset, map: 'true' })}`, {
    method: 'POST',
    body,
  });
  if (!response.ok) throw new Error(await response.text());
  return (await response.json()) as ReturnType<typeof skewJson>;
}
