import type { ProcessResponse } from '../../../gen/image/v1/processor_pb.ts';
import { geometryOfResponse } from '../compare/comparison.ts';
import type { Geometry, Size } from '../compare/geometry.ts';
import { rivalPixels } from '../compare/rival-pixels.ts';
import { requestOf } from '../form/request.ts';
import { asPlanes, type Settings } from '../form/settings.ts';
import { callProcess } from '../service/call.ts';
import { blobOf, type ImageSource } from '../source/source.ts';
import { bitmapOf, decodeBitmap } from '../view/bitmap.ts';
import { planesOf } from '../view/tensor.ts';
import { type ExampleName, examples } from './example-names.ts';
import type { Given } from './given.ts';

/*
 * Wrong tensors, made here of the image that is shown, for visitors without a tensor of their own.
 */

/** @returns undefined if the preset is no plain resize and crop, which other libraries could be given */
export async function makeExample(
  name: ExampleName,
  settings: Settings,
  source: ImageSource,
  expected: ProcessResponse,
  signal: AbortSignal,
): Promise<Given | undefined> {
  const geometry = geometryOfResponse(settings, expected);
  if (geometry === undefined) return undefined;
  const { resize, isBgr } = examples[name];
  const task = { settings, source, geometry };
  const pixels = resize === 'opencv' ? rivalPixels('opencv', task, signal) : decodeBitmap(blobOf(expected));
  const [bitmap, tables] = await Promise.all([pixels, valueTables(settings, geometry, signal)]);
  const { width, height } = bitmap;
  const area = width * height;
  const values = new Float32Array(tables.length * area);
  for (const [channel, table] of tables.entries()) {
    const from = isBgr ? tables.length - 1 - channel : channel;
    for (let pixel = 0; pixel < area; pixel++) {
      values[channel * area + pixel] = table[bitmap.pixels[4 * pixel + from] ?? 0] ?? 0;
    }
  }
  const shape = [1, tables.length, height, width];
  const stem = source.name.replace(/^.*\//, '').replace(/\.\w{1,5}$/, '') || 'image';
  return { name: `${stem}.${name}.npy`, file: npyOf(values, shape), kind: 'npy' };
}

/**
 * The value that the service gives each of the levels 0 to 255, for each channel: those of a picture that contains all
 * of them and that no resize changes, because it has the size after the resize.
 */
async function valueTables(
  settings: Settings,
  { resized, crop }: Geometry,
  signal: AbortSignal,
): Promise<readonly Float32Array[]> {
  const request = requestOf(asPlanes(settings));
  const value = new Uint8Array(await (await pictureOfLevels(resized)).arrayBuffer());
  const response = await callProcess({ ...request, source: { case: 'content', value } }, signal);
  const { channels, width } = planesOf(response);
  const { left, top } = crop ?? { left: 0, top: 0 };
  return channels.map((values) => {
    const table = new Float32Array(256);
    for (const [at, each] of values.entries()) {
      table[levelAt(left + (at % width), top + Math.floor(at / width))] = each;
    }
    return table;
  });
}

/** Neighbouring rows begin at other levels, so that a crop contains all levels too. */
function levelAt(x: number, y: number): number {
  return (x + 17 * y) % 256;
}

async function pictureOfLevels({ width, height }: Size): Promise<Blob> {
  const pixels = new Uint8ClampedArray(4 * width * height);
  for (let pixel = 0; pixel < width * height; pixel++) {
    pixels.fill(levelAt(pixel % width, Math.floor(pixel / width)), 4 * pixel, 4 * pixel + 3);
    pixels[4 * pixel + 3] = 255;
  }
  const { canvas } = bitmapOf(pixels, width, height);
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/png'));
  if (blob === null) throw new Error('This browser writes no PNG.');
  return blob;
}

/** The .npy format, version 1.0, with its values aligned to 64 bytes. */
function npyOf(values: Float32Array<ArrayBuffer>, shape: readonly number[]): Blob {
  const header = `{'descr': '<f4', 'fortran_order': False, 'shape': (${shape.join(', ')}), }`;
  const padded = `${header.padEnd(64 * Math.ceil((header.length + 11) / 64) - 11)}\n`;
  const start = new Uint8Array([0x93, ...new TextEncoder().encode('NUMPY'), 1, 0, padded.length, 0]);
  return new Blob([start, padded, values]);
}
