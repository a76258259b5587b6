import { createHash } from 'node:crypto';
import sharp from 'sharp';
import { readHeader } from '../../../src/processor/codecs/read-header.ts';
import { createPresets } from '../../../src/processor/presets/presets.ts';
import { planOf } from '../../../src/processor/rules/rules.ts';
import { processOnePlan } from '../../../test/support/one-plan.ts';
import { requestFor } from '../../../test/support/options.ts';
import goldens from './goldens.json' with { type: 'json' };

/*
 * What a model gets of one photo by several ways: 224 × 224 RGB pixels, before they are rescaled and normalized.
 */

export const side = 224;
const maxPixels = 10_000_000;
const presets = createPresets({});

/** Pixels, [224, 224, 3] uint8 RGB. */
export type ModelPixels = Uint8Array;

/** The pixels of openai/clip-vit-base-patch32 by the service. */
export function byService(photo: Uint8Array): Promise<ModelPixels> {
  return tensorOf(photo, 'preset=openai/clip-vit-base-patch32&pixels=uint8&layout=nhwc&format=raw');
}

/** The pixels on which CLIP was trained, as transformers makes them. @throws Error if the service's differ from them */
export async function byTransformers(photo: Uint8Array): Promise<ModelPixels> {
  const pixels = await byService(photo);
  if (sha256(pixels) !== goldens.training) throw new Error('the service differs from transformers');
  return pixels;
}

/** `cv2.resize` as it is called most, and the centre. @throws Error if the service's pixels differ from OpenCV's */
export async function byOpenCv(photo: Uint8Array): Promise<ModelPixels> {
  const query = `numerics=opencv&filter=bilinear&shortest_edge=${side}&crop_width=${side}&crop_height=${side}`;
  const pixels = await tensorOf(photo, `${query}&grayscale=false&datatype=uint8&layout=nhwc&format=raw`);
  if (sha256(pixels) !== goldens.opencv) throw new Error('the service differs from OpenCV');
  return pixels;
}

/** sharp's chain as its documentation shows it. */
export function bySharp(photo: Uint8Array): Promise<ModelPixels> {
  return sharp(photo).resize(side, side, { fit: 'cover' }).raw().toBuffer();
}

async function tensorOf(photo: Uint8Array, query: string): Promise<ModelPixels> {
  const header = await readHeader(photo, maxPixels);
  const plan = planOf(requestFor(query), maxPixels, presets);
  const outcome = await processOnePlan(photo, header, plan, maxPixels);
  if ('failure' in outcome) throw new Error(outcome.failure.message);
  return outcome.result.content;
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** How far pixels are from those of the training. */
export interface Difference {
  /** Part of the values that differ, in per cent. */
  readonly percent: number;
  /** Mean absolute difference, in levels of 255. */
  readonly mean: number;
  /** Largest absolute difference, in levels of 255. */
  readonly max: number;
}

export function differenceOf(pixels: ModelPixels, training: ModelPixels): Difference {
  const levels = Array.from(pixels, (value, at) => Math.abs(value - (training[at] ?? 0)));
  const sum = levels.reduce((total, level) => total + level, 0);
  return {
    percent: Math.round((100 * levels.filter((level) => level > 0).length) / levels.length),
    mean: Number((sum / levels.length).toFixed(1)),
    max: levels.reduce((most, level) => Math.max(most, level), 0),
  };
}
