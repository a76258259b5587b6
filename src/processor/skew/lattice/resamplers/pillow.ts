import { wholeOf } from '../../../image/cutout.ts';
import { type Factors, gapOf, reduce } from '../../../image/kernels/pillow-reduce.ts';
import { goesVerticalFirst, type PillowVersion, resampleUpright } from '../../../image/kernels/resample.ts';
import type { FilterName, WeighingFilterName } from '../../../image/kernels/weights.ts';
import type { Pixels } from '../../../image/pixels.ts';
import type { Size } from '../../../image/shortest-edge.ts';
import type { Resampler } from '../hypothesis.ts';
import { cutOf, isWholeBox, levelsOf } from './levels.ts';

const weighing = ['bilinear', 'bicubic', 'lanczos', 'box', 'hamming'] as const;

/** `Image.resize` of Pillow 13, and of any version where they agree. */
export const pillowResamplers: readonly Resampler[] = [...weighing, 'nearest' as const].map(resize);

/** `Image.resize` where older versions round in another order, `reducing_gap`, and `Image.reduce`. */
export const morePillowResamplers: readonly Resampler[] = [
  ...weighing.map((filter) => older(filter, '12.1', 'Pillow up to 12.1')),
  ...weighing.map((filter) => older(filter, '12.3', 'Pillow 12.2 or 12.3')),
  ...weighing.map((filter) => withGap(filter, 2)),
  ...weighing.map((filter) => withGap(filter, 3)),
  thumbnail(),
  byReduce(),
];

function resize(filter: FilterName): Resampler {
  return {
    id: `pillow ${filter}`,
    step: { filter },
    words: { numerics: 'Pillow', filter },
    run: (source, { box, resized }, cutout) =>
      levelsOf(resampleUpright(source, 1, { ...resized, filter, box, cutout }, false)),
  };
}

/** Only where the order of the passes is another one than in Pillow 13. */
function older(filter: WeighingFilterName, version: PillowVersion, numerics: string): Resampler {
  return {
    id: `pillow ${version} ${filter}`,
    words: { numerics, filter },
    run(source, { box, resized }, cutout) {
      const { width, height } = resized;
      if (
        goesVerticalFirst(source, width, height, version) === goesVerticalFirst(source, width, height, '13.0')
      ) {
        return undefined;
      }
      return levelsOf(resampleUpright(source, 1, { ...resized, filter, box, cutout }, false, version));
    },
  };
}

/** `Image.resize(…, reducing_gap)`; `Image.thumbnail` has a gap of 2. Only where the gap has an effect. */
function withGap(filter: WeighingFilterName, reducingGap: number): Resampler {
  return {
    id: `pillow gap ${reducingGap} ${filter}`,
    words: {
      numerics: `Pillow with reducing_gap=${reducingGap}${reducingGap === 2 ? ', as Image.thumbnail' : ''}`,
      filter,
    },
    run(source, { box, resized }, cutout) {
      const gap = gapOf(source, resized, filter, box, reducingGap);
      if (gap === undefined || source.channels === 4) return undefined;
      const reduced = reducedOf(source, gap.factors, gap.part);
      return levelsOf(resampleUpright(reduced, 1, { ...resized, filter, box: gap.box, cutout }, false));
    },
  };
}

/**
 * `Image.thumbnail` of a JPEG that its draft mode has decoded to a smaller size: the box is the file's size divided by the
 * scale, with fractions. Other thumbnails are resizes with a gap of 2.
 */
function thumbnail(): Resampler {
  const filter = 'bicubic';
  return {
    id: 'pillow thumbnail',
    words: { numerics: 'Pillow Image.thumbnail', filter },
    run(source, { box, resized }, cutout, { header }) {
      const drafted = isWholeBox(source, box) ? draftedSize(header, source) : undefined;
      if (drafted === undefined || source.channels === 4) return undefined;
      const draftBox = [0, 0, drafted.width, drafted.height] as const;
      const gap = gapOf(source, resized, filter, draftBox, 2);
      const pixels = gap === undefined ? source : reducedOf(source, gap.factors, gap.part);
      const target = { ...resized, filter, box: gap?.box ?? draftBox, cutout } as const;
      return levelsOf(resampleUpright(pixels, 1, target, false));
    },
  };
}

/** The size of a file divided by the scale of its draft, where that is not a whole number of pixels. */
function draftedSize({ width, height }: Size, source: Size): Size | undefined {
  for (const [across, down] of [
    [width, height],
    [height, width],
  ] as const) {
    for (const scale of [2, 4, 8]) {
      const drafted = { width: across / scale, height: down / scale };
      const isDrafted =
        Math.ceil(drafted.width) === source.width && Math.ceil(drafted.height) === source.height;
      if (isDrafted && !(Number.isInteger(drafted.width) && Number.isInteger(drafted.height))) return drafted;
    }
  }
  return undefined;
}

/** `Image.reduce`, whose size is the source's divided by whole factors, rounded up. */
function byReduce(): Resampler {
  return {
    id: 'pillow reduce',
    words: { numerics: 'Pillow Image.reduce', filter: 'box' },
    run(source, { box, resized }, cutout) {
      const factors = {
        across: Math.ceil(source.width / resized.width),
        down: Math.ceil(source.height / resized.height),
      };
      const fits =
        source.channels !== 4 &&
        isWholeBox(source, box) &&
        Math.ceil(source.width / factors.across) === resized.width &&
        Math.ceil(source.height / factors.down) === resized.height;
      return fits ? levelsOf(cutOf(reducedOf(source, factors, wholeOf(source)), cutout)) : undefined;
    },
  };
}

/** Reduced sources of the last source, by factors and part: every cutout of a picture needs the same one. */
const reduced = new WeakMap<Uint8Array, Map<string, Pixels>>();

const keptReduced = 2;

function reducedOf(source: Pixels, factors: Factors, part: Parameters<typeof reduce>[2]): Pixels {
  const known = reduced.get(source.data) ?? new Map<string, Pixels>();
  reduced.set(source.data, known);
  const key = JSON.stringify([factors, part]);
  const made = known.get(key) ?? reduce(source, factors, part);
  known.delete(key);
  known.set(key, made);
  const [oldest] = known.keys();
  if (known.size > keptReduced && oldest !== undefined) known.delete(oldest);
  return made;
}
