import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type ModelPixels, side } from './ways.ts';

/*
 * transformers.js is too large for a dependency of this project (it brings a runtime for models), so that draw.ts loads
 * it from a folder into which `npm install --ignore-scripts @huggingface/transformers` installed it.
 */

interface TransformersJs {
  readonly RawImage: { read(photo: Blob): Promise<unknown> };
  readonly CLIPImageProcessor: new (
    config: object,
  ) => (image: unknown) => Promise<{ readonly pixel_values: { readonly data: Float32Array } }>;
}

/** The pixels of openai/clip-vit-base-patch32 by transformers.js in Node.js, and its version. */
export async function byTransformersJs(folder: string, photo: Uint8Array) {
  const entry = createRequire(join(folder, 'entry.js')).resolve('@huggingface/transformers');
  const { version } = JSON.parse(readFileSync(join(dirname(entry), '../package.json'), 'utf8'));
  const { RawImage, CLIPImageProcessor } = (await import(pathToFileURL(entry).href)) as TransformersJs;
  const process = new CLIPImageProcessor({
    do_resize: true,
    size: { shortest_edge: side },
    resample: 3,
    do_center_crop: true,
    crop_size: { height: side, width: side },
    do_rescale: false,
    do_normalize: false,
  });
  const { pixel_values } = await process(await RawImage.read(new Blob([new Uint8Array(photo)])));
  return { version: String(version), pixels: interleaved(pixel_values.data) };
}

/** [3, height, width] as [height, width, 3]. */
function interleaved(planes: Float32Array): ModelPixels {
  const plane = planes.length / 3;
  return Uint8Array.from(planes, (_, at) => planes[(at % 3) * plane + Math.floor(at / 3)] ?? 0);
}
