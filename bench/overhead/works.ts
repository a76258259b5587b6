import { create } from '@bufbuild/protobuf';
import sharp from 'sharp';
import { type ProcessRequest, ProcessRequestSchema } from '../../gen/image/v1/processor_pb.ts';
import { readHeader } from '../../src/processor/codecs/read-header.ts';
import { createPresets } from '../../src/processor/presets/presets.ts';
import { planOf } from '../../src/processor/rules/rules.ts';
import { processOnePlan } from '../../test/support/one-plan.ts';
import { requestFor } from '../../test/support/options.ts';
import { encoded, photoLike } from '../../test/support/pictures.ts';
import type { RivalWork } from '../peers.ts';

/*
 * The most frequent requests of ML services: small photographs, CLIP's tensors, thumbnails.
 */

/** One kind of request. */
export interface Work {
  readonly title: string;
  readonly source: Uint8Array;
  /** The query of a request to image-api. */
  readonly query: Readonly<Record<string, string>>;
  /** The query of the same pixels before they are encoded, exact; unset: the response contains them. */
  readonly reference?: Readonly<Record<string, string>>;
  /** The name that the rivals have for the work. */
  readonly rival: RivalWork;
  /** How many requests take about half a second. */
  readonly count: number;
}

const preset = { preset: 'openai/clip-vit-base-patch32', format: 'raw' };
const fill = { fit: 'fill', filter: 'bilinear' };
const pixels = { format: 'raw', datatype: 'uint8', layout: 'nhwc', rescale: '1' };
const gray = { ...fill, width: '1024', height: '768', grayscale: 'true' };
const colour = { ...fill, width: '512', height: '512', grayscale: 'false' };
const thumbnail = { ...fill, width: '224', height: '224', grayscale: 'false' };

const photo = await encoded(photoLike(640, 480, 1), 'jpeg', { quality: 80 });
const large = await encoded(photoLike(2725, 2225, 1), 'jpeg', { quality: 75 });
const png = await encoded(photoLike(1000, 800, 1), 'png');

export const works = {
  smallClip: {
    title: '640 × 480 JPEG → CLIP tensor',
    source: photo,
    query: preset,
    rival: 'clip',
    count: 60,
  },
  smallGray: {
    title: '640 × 480 JPEG → 1024 × 768 gray JPEG',
    source: photo,
    query: { ...gray, format: 'jpeg', quality: '80' },
    reference: { ...gray, ...pixels },
    rival: 'grayJpeg',
    count: 60,
  },
  largeClip: {
    title: '6 MP JPEG → CLIP tensor, exact, numerics=pillow',
    source: large,
    query: { ...preset, numerics: 'pillow' },
    rival: 'clip',
    count: 16,
  },
  largeClipTorch: {
    title: '6 MP JPEG → CLIP tensor, exact, numerics=torch',
    source: large,
    query: { ...preset, numerics: 'torch' },
    rival: 'clip',
    count: 16,
  },
  largeColour: {
    title: '6 MP JPEG → 512² JPEG, fast',
    source: large,
    query: { ...colour, format: 'jpeg', quality: '80', numerics: 'fast' },
    reference: { ...colour, ...pixels },
    rival: 'colourJpeg',
    count: 16,
  },
  smallPng: {
    title: '1000 × 800 PNG → 224² PNG',
    source: png,
    query: { ...thumbnail, format: 'png' },
    reference: { ...thumbnail, ...pixels },
    rival: 'smallPng',
    count: 24,
  },
} as const satisfies Record<string, Work>;

export type WorkName = keyof typeof works;

/** Results of the stages without a service: the bytes of a response, and the exact pixels. */
export interface Expected {
  readonly content: Uint8Array;
  /** In levels of 255, [height, width, channels] or [channels, height, width]. */
  readonly levels: ArrayLike<number>;
}

export async function expectedOf(work: Work): Promise<Expected> {
  const content = await computed(work, work.query);
  const exact = work.reference === undefined ? undefined : await computed(work, work.reference);
  return { content, levels: exact ?? (await levelsOf(content, work)) };
}

const presets = createPresets({});
const maxPixels = 2 ** 28;

/** The request of a work, for calls by gRPC. */
export function messageOf({ query }: Work, content: Uint8Array): ProcessRequest {
  const request = requestFor(String(new URLSearchParams(query)));
  return create(ProcessRequestSchema, { ...request, source: { case: 'content', value: content } });
}

async function computed(work: Work, query: Readonly<Record<string, string>>): Promise<Uint8Array> {
  const plan = planOf(messageOf({ ...work, query }, work.source), maxPixels, presets);
  const header = await readHeader(work.source, maxPixels);
  const outcome = await processOnePlan(work.source, header, plan, maxPixels);
  if ('failure' in outcome) throw new Error(outcome.failure.message);
  return Buffer.from(outcome.result.content);
}

const clipMean = [0.48145466, 0.4578275, 0.40821073];
const clipStd = [0.26862954, 0.26130258, 0.27577711];

/** The values of a response, in levels of 255. @throws Error if it has another size */
export async function levelsOf(content: Uint8Array, { rival, query }: Work): Promise<ArrayLike<number>> {
  if (rival !== 'clip') {
    const image = sharp(content);
    return await (query.grayscale === 'true' ? image.toColourspace('b-w') : image.removeAlpha())
      .raw()
      .toBuffer();
  }
  const plane = 224 * 224;
  const values = new Float32Array(Uint8Array.from(content).buffer);
  if (values.length !== 3 * plane) throw new Error(`${values.length} values, not ${3 * plane}`);
  return values.map((value, at) => {
    const channel = Math.trunc(at / plane);
    return (value * (clipStd[channel] as number) + (clipMean[channel] as number)) * 255;
  });
}
