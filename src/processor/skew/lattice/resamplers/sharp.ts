import type { KernelEnum, Sharp } from 'sharp';
import { sharp } from '../../../codecs/libvips/sharp.ts';
import { sizeUpright } from '../../../codecs/orient.ts';
import { type Cutout, cutUpright } from '../../../image/cutout.ts';
import type { FilterName } from '../../../image/kernels/weights.ts';
import type { Pixels } from '../../../image/pixels.ts';
import type { Size } from '../../../image/shortest-edge.ts';
import type { Framing, ResampledFile, Resampler } from '../hypothesis.ts';
import { isWholeBox, levelsOf } from './levels.ts';

/*
 * The real sharp. It computes whole pictures only, so the last ones are kept.
 */

/** sharp's kernels by the names of our filters, each with the resampler of Pillow that is near to it. */
const kernels: Readonly<
  Record<keyof KernelEnum, { readonly filter: string; readonly nearTo: FilterName } | undefined>
> = {
  lanczos3: { filter: 'lanczos', nearTo: 'lanczos' },
  linear: { filter: 'bilinear', nearTo: 'bilinear' },
  cubic: { filter: 'bicubic', nearTo: 'bicubic' },
  nearest: { filter: 'nearest', nearTo: 'nearest' },
  mitchell: { filter: 'mitchell', nearTo: 'bicubic' },
  lanczos2: { filter: 'lanczos2', nearTo: 'lanczos' },
  // Rare, and near to others.
  mks2013: undefined,
  mks2021: undefined,
};

/** How sharp scales: both sides on their own, or by one factor, the smaller or the larger one. */
const fits = [
  { fit: 'fill', words: 'fit fill' },
  { fit: 'outside', words: 'fit cover or outside' },
  { fit: 'inside', words: 'fit contain or inside' },
] as const;

type Fit = (typeof fits)[number];
type KernelName = keyof typeof kernels;

export const sharpResamplers: readonly Resampler[] = [
  ...everyKernel((kernel) => fits.map((fit) => ofFile(kernel, fit, true))),
  ...everyKernel((kernel) => fits.map((fit) => ofPixels(kernel, fit))),
  ...fits.map((fit) => ofFile('lanczos3', fit, false)),
  ...(['bilinear', 'bicubic', 'nearest'] as const).map(byAffine),
];

function everyKernel(rowsOf: (kernel: KernelName) => readonly Resampler[]): readonly Resampler[] {
  return (Object.keys(kernels) as KernelName[]).flatMap((kernel) => (kernels[kernel] ? rowsOf(kernel) : []));
}

/** `sharp(file).resize(…)`: JPEG and WebP are decoded to a smaller size where that is enough. */
function ofFile(kernel: KernelName, { fit, words }: Fit, fastShrinkOnLoad: boolean): Resampler {
  const { filter, nearTo } = kernels[kernel] ?? { filter: kernel, nearTo: 'lanczos' };
  return {
    id: `sharp file ${fit} ${kernel}${fastShrinkOnLoad ? '' : ' slow'}`,
    words: {
      numerics: `sharp (libvips) of the file${fastShrinkOnLoad ? '' : ', fastShrinkOnLoad: false'}, ${words}`,
      filter,
    },
    nearTo: `pillow ${nearTo}`,
    async run(source, framing, cutout, file) {
      const { content, header, turn } = file;
      if (!isPlain(source, framing, file) || !keepsAspect(fit, source, framing.resized)) return undefined;
      return await kept(source, [fit, kernel, fastShrinkOnLoad, turn.id], framing, cutout, () => {
        const image = sharp(content, {
          failOn: 'error',
          limitInputPixels: false,
          autoOrient: turn.id === 'apply',
        });
        const resized = image.resize({ ...framing.resized, fit, kernel, fastShrinkOnLoad });
        return header.hasAlpha ? resized.removeAlpha() : resized;
      });
    },
  };
}

/** `sharp(pixels, { raw }).resize(…)`, and of PNG and other files that cannot be decoded to a smaller size. */
function ofPixels(kernel: KernelName, { fit, words }: Fit): Resampler {
  const { filter, nearTo } = kernels[kernel] ?? { filter: kernel, nearTo: 'lanczos' };
  return {
    id: `sharp pixels ${fit} ${kernel}`,
    words: { numerics: `sharp (libvips) of decoded pixels, ${words}`, filter },
    nearTo: `pillow ${nearTo}`,
    async run(source, framing, cutout) {
      if (!isWholeBox(source, framing.box) || !keepsAspect(fit, source, framing.resized)) return undefined;
      return await kept(source, [fit, kernel], framing, cutout, () =>
        ofRaw(source).resize({ ...framing.resized, fit, kernel }),
      );
    },
  };
}

/**
 * transformers.js in Node: `affine`, which does not antialias and reads few pixels; its Lanczos is a resize of decoded
 * pixels.
 */
function byAffine(filter: 'bilinear' | 'bicubic' | 'nearest'): Resampler {
  return {
    id: `transformers.js ${filter}`,
    words: { numerics: 'transformers.js in Node', filter },
    async run(source, framing, cutout) {
      if (!isWholeBox(source, framing.box)) return undefined;
      const { width, height } = framing.resized;
      return await kept(source, ['affine', filter], framing, cutout, () =>
        ofRaw(source).affine([width / source.width, 0, 0, height / source.height], { interpolator: filter }),
      );
    },
  };
}

/** Whether the source is the file's pixels as they are decoded usually, and all of it is resized. */
function isPlain(source: Pixels, { box }: Pick<Framing, 'box'>, file: ResampledFile): boolean {
  const { header, decoding, turn, transparency, recolouring } = file;
  const { width, height } = sizeUpright(header, turn.orientation);
  return (
    decoding.id === 'whole' &&
    recolouring.id === 'none' &&
    (transparency.id === 'none' || transparency.id === 'drop') &&
    (turn.id === 'apply' || turn.id === 'ignore') &&
    header.colour !== 'cmyk' &&
    source.width === width &&
    source.height === height &&
    isWholeBox(source, box)
  );
}

/** Whether a resize by one factor gives this size: the other side is rounded. */
function keepsAspect(fit: Fit['fit'], source: Size, { width, height }: Size): boolean {
  if (fit === 'fill') return true;
  const factors = [source.width / width, source.height / height];
  const factor = fit === 'outside' ? Math.min(...factors) : Math.max(...factors);
  return Math.round(source.width / factor) === width && Math.round(source.height / factor) === height;
}

function ofRaw({ data, width, height, channels }: Pixels): Sharp {
  return sharp(data, { raw: { width, height, channels }, limitInputPixels: false });
}

/** Whole results of a source, the last ones; a trial of a hypothesis reads several cutouts. */
const results = new WeakMap<Uint8Array, Map<string, Promise<Pixels | undefined>>>();

const keptResults = 6;

async function kept(
  source: Pixels,
  how: readonly unknown[],
  { resized }: Pick<Framing, 'resized'>,
  cutout: Cutout,
  pipeline: () => Sharp,
) {
  const known = results.get(source.data) ?? new Map<string, Promise<Pixels | undefined>>();
  results.set(source.data, known);
  const key = [...how, resized.width, resized.height].join(' ');
  const result = known.get(key) ?? pixelsOf(pipeline(), resized, source.channels);
  known.delete(key);
  known.set(key, result);
  const [oldest] = known.keys();
  if (known.size > keptResults && oldest !== undefined) known.delete(oldest);
  const whole = await result;
  return whole && levelsOf(cutUpright(whole, 1, cutout));
}

/** @returns undefined if sharp refuses the file, or gives another size */
async function pixelsOf(
  image: Sharp,
  { width, height }: Size,
  channels: number,
): Promise<Pixels | undefined> {
  const coloured = image.toColourspace(channels === 1 ? 'b-w' : 'srgb');
  const { data, info } = await coloured
    .raw()
    .toBuffer({ resolveWithObject: true })
    .catch(() => ({ data: undefined, info: undefined }));
  if (data === undefined || info.width !== width || info.height !== height || info.channels !== channels) {
    return undefined;
  }
  return { data: Uint8Array.from(data), width, height, channels: info.channels };
}
